import { covers, parseRange } from "../../../lib/address-ranges.ts";

/** Networks that the internet does not reach (the IANA special-purpose address registries). */
const NOT_PUBLIC = [
  { of: "a tailnet or a provider's NAT", ranges: ["100.64.0.0/10", "fd7a:115c:a1e0::/48"] },
  { of: "a private network", ranges: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"] },
  { of: "the host itself", ranges: ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"] },
  { of: "one link", ranges: ["169.254.0.0/16", "fe80::/10"] },
].flatMap(({ of, ranges }) => ranges.map((range) => ({ of, range: parseRange(range) })));

/**
 * What an address is of, where the internet does not reach it; undefined for any other, and for
 * what is no address.
 *
 * @example notPublic("10.0.0.8") === "a private network"; notPublic("203.0.113.8") === undefined
 */
export function notPublic(address: string): string | undefined {
  const own = parseRange(address.trim());
  return NOT_PUBLIC.find(({ range }) => own && range && covers(range, own))?.of;
}
