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
