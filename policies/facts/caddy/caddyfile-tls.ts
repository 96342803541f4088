/** What a site's `tls` directive means: https://caddyserver.com/docs/caddyfile/directives/tls */
import { named, type Block } from "./caddyfile-blocks.ts";

/** As Caddy's JSON has it. */
export interface Issuer {
  readonly module: string;
  /** URL of the CA's directory. */
  readonly ca?: string;
}

export interface SiteTls {
  /** Issuers that the directive names; none where the global options decide. */
  readonly issuers: readonly Issuer[];
  /** The certificates are in files, and none is ordered for the names that they cover. */
  readonly fromFiles: boolean;
  /** Another program hands them out. */
  readonly fromProgram: boolean;
  /** One is ordered for each name, whatever covers it. */
  readonly forced: boolean;
}

/** Options of ACME, which stand for an issuer of that kind. */
const OF_ACME = [
  ...["ca", "ca_root", "dns", "dns_challenge_override_domain", "dns_ttl", "eab"],
  ...["propagation_delay", "propagation_timeout", "resolvers"],
];

const issuerAt = (module: string, ca: string | undefined): Issuer => ({
  module,
  ...(ca !== undefined && { ca }),
});

/** Reads `issuer acme [<directory>] { dir <directory> }`, or the global `cert_issuer`. */
export const issuerOf = ({ words, body = [] }: Block): Issuer =>
  issuerAt(words[1] ?? "", words[2] ?? named(body, "dir")[0]?.words[1]);

/** Reads a site's `tls` line; without one nothing is said. */
export function tlsOf(tls: Block | undefined): SiteTls {
  const [first = "", second] = tls?.words.slice(1) ?? [];
  const body = tls?.body ?? [];
  const isAcme = (second === undefined && first.includes("@")) || named(body, ...OF_ACME).length > 0;
  const issuers = named(body, "issuer").map(issuerOf);
  const own = [issuerAt("acme", named(body, "ca")[0]?.words[1])];
  return {
    issuers: first === "internal" ? [{ module: "internal" }] : issuers.length === 0 && isAcme ? own : issuers,
    fromFiles: second !== undefined || named(body, "load").length > 0,
    fromProgram: named(body, "get_certificate").length > 0,
    forced: first === "force_automate",
  };
}
