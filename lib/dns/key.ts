import type { StalwartSettings } from "../desired-state/schema.ts";

/** A key by which records are written over RFC 2136, and what it is for. Not its secret. */
export interface DnsKey {
  host: string;
  port: number;
  /** How Stalwart sends updates. A try goes by TCP, which each server speaks as well. */
  protocol: "udp" | "tcp";
  keyName: string;
  /** Such as hmac-sha256. */
  algorithm: string;
  /** Where the proofs of DNS-01 are written: `_acme-challenge` of each certificate's name. */
  names: string[];
}

/**
 * The key by which Stalwart proves names; undefined where it proves none over RFC 2136.
 *
 * @example dnsKeyOf(settings)?.names // ["_acme-challenge.example.org"]
 */
export function dnsKeyOf({
  acme = [],
  dnsProvider,
}: Pick<StalwartSettings, "acme" | "dnsProvider">): DnsKey | undefined {
  if (dnsProvider?.type !== "rfc2136") return undefined;
  const proved = acme.filter(({ challenge }) => challenge === "dns-01").flatMap((client) => client.names);
  const names = new Set(proved.map((name) => `_acme-challenge.${name.replace(/^\*\./, "")}`));
  if (names.size === 0) return undefined;
  const { host, port, protocol, keyName, algorithm } = dnsProvider;
  return { host, port, protocol, keyName, algorithm, names: [...names] };
}
