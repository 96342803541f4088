import { covers, overlaps, parseRange, type AddressRange } from "../../../lib/address-ranges.ts";

/** IPv4 addresses as IPv6 writes them, ::ffff:0:0/96. */
const MAPPED = 0xffff_0000_0000n;

/**
 * Reads an address or a CIDR range of Stalwart's settings. All are of one family, since Stalwart
 * compares an IPv4 peer with an IPv6 range as the IPv4-mapped address it also is (stalwart-lite
 * 0.16.0 utils/src/config/ipmask.rs): so ::/8 holds all of IPv4.
 */
export function parseNetwork(text: string): AddressRange | undefined {
  const range = /^[^[\]-]+$/.test(text) ? parseRange(text.trim()) : undefined;
  if (range?.family !== 4) return range;
  return { family: 6, from: range.from + MAPPED, to: range.to + MAPPED };
}

/** {@link parseNetwork} of ranges that are written in the source. */
export function networks(...texts: string[]): AddressRange[] {
  return texts.flatMap((text) => parseNetwork(text) ?? []);
}

/** True when every address of `wanted` is in one of the ranges, which may share it between them. */
export function coverTogether(ranges: readonly AddressRange[], wanted: AddressRange): boolean {
  const parts = ranges.filter((range) => overlaps(range, wanted)).sort((a, b) => (a.from < b.from ? -1 : 1));
  let next = wanted.from;
  for (const { from, to } of parts) {
    if (from > next) return false;
    if (to >= next) next = to + 1n;
  }
  return next > wanted.to;
}

export { covers, overlaps, type AddressRange };
