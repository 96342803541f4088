/** What a site's `tls` directive means: https://caddyserver.com/docs/caddyfile/directives/tls */
import { named, type Block } from "./caddyfile-blocks.ts";

export interface SiteTls {
  /** Modules that the directive names; none where the global options decide. */
  readonly issuers: readonly string[];
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

/** Reads a site's `tls` line; without one nothing is said. */
export function tlsOf(tls: Block | undefined): SiteTls {
  const [first = "", second] = tls?.words.slice(1) ?? [];
  const body = tls?.body ?? [];
  const isAcme = (second === undefined && first.includes("@")) || named(body, ...OF_ACME).length > 0;
  const issuers = named(body, "issuer").map(({ words }) => words[1] ?? "");
  return {
    issuers: first === "internal" ? ["internal"] : issuers.length === 0 && isAcme ? ["acme"] : issuers,
    fromFiles: second !== undefined || named(body, "load").length > 0,
    fromProgram: named(body, "get_certificate").length > 0,
    forced: first === "force_automate",
  };
}
