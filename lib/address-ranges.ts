import { isIPv4, isIPv6 } from "node:net";

/** Addresses from the first to the last, as numbers. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * An IPv6 address as resolvers write it (RFC 5952).
 *
 * @param bytes its 16
 */
export function ipv6Of(bytes: Uint8Array): string {
  const groups = Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** An IPv6 address in its 16 bytes. @throws RangeError for what is none */
export function ipv6Bytes(text: string): Buffer {
  const address = parseAddress(text);
  if (address?.family !== 6) throw new RangeError(`${text} is no IPv6 address`);
  return Buffer.from(address.value.toString(16).padStart(32, "0"), "hex");
}

function parseAddress(text: string): { family: 4 | 6; value: bigint } | undefined {
  if (isIPv4(text))
    return { family: 4, value: text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  // The URL parser writes a dotted tail as two groups.
  const [head = "", tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split("::");
  const groups = (half: string): string[] => (half === "" ? [] : half.split(":"));
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - groups(head).length - after.length).fill("0");
  const all = [...groups(head), ...zeros, ...after];
  return { family: 6, value: all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n) };
}

/**
 * Reads an address, a network or a range as a tailnet policy file writes them.
 *
 * @example
 * parseRange("100.64.0.0/10"); parseRange("10.0.0.1-10.0.0.9"); parseRange("fd7a:115c:a1e0::1")
 */
export function parseRange(text: string): AddressRange | undefined {
  const [, first = "", prefix] = /^\[?([0-9a-fA-F.:]+)\]?(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(first);
  if (address) {
    const bits = address.family === 4 ? 32 : 128;
    const hostBits = BigInt(bits - Number(prefix ?? bits));
    if (hostBits < 0n) return undefined;
    const from = (address.value >> hostBits) << hostBits;
    return { family: address.family, from, to: from + (1n << hostBits) - 1n };
  }
  const [low, high] = text.split("-").map((end) => parseAddress(end.trim()));
  return low && high && low.family === high.family
    ? { family: low.family, from: low.value, to: high.value }
    : undefined;
}

export function covers(outer: AddressRange, inner: AddressRange): boolean {
  return outer.family === inner.family && outer.from <= inner.from && outer.to >= inner.to;
}

/** Whether ranges together cover one, also in pieces that lie side by side. */
export function coverTogether(ranges: readonly AddressRange[], whole: AddressRange): boolean {
  const pieces = ranges
    .filter((range) => overlaps(range, whole))
    .toSorted((a, b) => (a.from < b.from ? -1 : 1));
  let next = whole.from;
  for (const { from, to } of pieces) {
    if (from > next) return false;
    if (to >= next) next = to + 1n;
  }
  return next > whole.to;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.from <= b.to && b.from <= a.to;
}

/**
 * Ranges of every tailnet, in which its nodes have their addresses: Tailscale's CGNAT range and its
 * ULA prefix.
 */
export const TAILNET_RANGES = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"] as const;
export const [TAILNET_V4, TAILNET_V6] = TAILNET_RANGES.map(parseRange) as [AddressRange, AddressRange];

/**
 * Addresses that nobody is reached at, or seen coming from, on the internet (RFC 6890), by what
 * they are of; the shared ones are the tailnet's, too (lesson 6). Those for documentation are not
 * among them: examples are written with them.
 */
const SPECIAL: Readonly<Record<string, readonly string[]>> = {
  "a tailnet or a provider's NAT": TAILNET_RANGES,
  "a private network": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
  "the host itself": ["0.0.0.0/8", "127.0.0.0/8", "::/96"],
  "one link": ["169.254.0.0/16", "fe80::/10"],
  "a benchmark": ["198.18.0.0/15"],
  "a multicast group or nobody": ["224.0.0.0/3", "ff00::/8"],
};
const NOT_PUBLIC = Object.entries(SPECIAL).flatMap(([of, ranges]) =>
  ranges.map((text) => ({ of, range: parseRange(text) as AddressRange })),
);

/** Whether the internet reaches none of a range's addresses, or not all of them. */
export const isPartlyHidden = (range: AddressRange): boolean =>
  NOT_PUBLIC.some((hidden) => overlaps(hidden.range, range));

/**
 * What an address or a network is of, where the internet does not reach it; undefined for any
 * other, and for what is no address.
 *
 * @example notPublic("10.0.0.8") === "a private network"; notPublic("203.0.113.8") === undefined
 */
export function notPublic(text: string): string | undefined {
  const own = parseRange(text.trim());
  return own && NOT_PUBLIC.find(({ range }) => covers(range, own))?.of;
}
