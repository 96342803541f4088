/** The public CAs that issue by ACME, for who writes CAA records and who reads them. */

/** Let's Encrypt's directory: Stalwart's and Caddy's, where they are told none. */
export const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

/** ZeroSSL signs by Sectigo, which goes by each of these. */
const SECTIGO = ["sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"];
/**
 * What public CAs call themselves in CAA, by their directory's host; what is written stands first.
 * `caaIdentities` of the directory (RFC 8555 §7.1.1) and the CAs' own pages say it.
 */
const ISSUERS: Readonly<Record<string, readonly string[]>> = {
  "acme-v02.api.letsencrypt.org": ["letsencrypt.org"],
  "acme-staging-v02.api.letsencrypt.org": ["letsencrypt.org"],
  "acme.zerossl.com": SECTIGO,
  "dv.acme-v02.api.pki.goog": ["pki.goog"],
  "acme.ssl.com": ["ssl.com"],
};

/** The host of a URL; undefined for what is none. */
export const hostOf = (url: string): string | undefined =>
  URL.canParse(url) ? new URL(url).host : undefined;

/** What the CA of a directory or an account calls itself in CAA; none where it is not known. */
export const issuersOf = (url: string): readonly string[] => ISSUERS[hostOf(url) ?? ""] ?? [];

/** How many certificates a CA gives out: so many at once, and as many again over the period. */
export interface CaLimit {
  burst: number;
  /** Milliseconds in which an empty budget is full again, little by little. */
  period: number;
}
/** What is known of how a CA rations certificates. */
export interface CaLimits {
  name: string;
  /** How the issuer is called in its certificates. */
  isIssuer: (issuer: string) => boolean;
  /** For each registered domain; renewals of an equal certificate are free. */
  domain: CaLimit;
  /** For each exact set of names. */
  set: CaLimit;
}

const WEEK = 7 * 86_400_000;
/** By the directory's host. Source: https://letsencrypt.org/docs/rate-limits/ */
const LIMITS: Readonly<Record<string, CaLimits>> = {
  [new URL(LETS_ENCRYPT).host]: {
    name: "Let's Encrypt",
    isIssuer: (issuer) => issuer.includes("O=Let's Encrypt"),
    domain: { burst: 50, period: WEEK },
    set: { burst: 5, period: WEEK },
  },
};

/** How the CA of a directory rations; undefined where that is not known. */
export const limitsOf = (directory: string): CaLimits | undefined => LIMITS[hostOf(directory) ?? ""];
