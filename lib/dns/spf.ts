/** SPF: from which addresses a domain's mail leaves (RFC 7208). */
import { isIPv4 } from "node:net";

import { isPartlyHidden, parseRange } from "../address-ranges.ts";
import { MOST_LOOKUPS, spfLookups } from "./spf-terms.ts";

/** Labels of a name that is included; `_spf` and the like begin with an underscore. */
const INCLUDE = /^include:(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/**
 * What one place that mail leaves from is in SPF.
 *
 * @param place an IPv4 or IPv6 address or network, or `include:` and a name
 * @returns undefined for anything else, and for addresses that receivers never see
 * @example
 * spfTerm("192.0.2.25") === "ip4:192.0.2.25"; spfTerm("include:_spf.example.net") ===
 *   "include:_spf.example.net"
 */
export function spfTerm(place: string): string | undefined {
  const text = place.toLowerCase();
  if (text.startsWith("include:")) return INCLUDE.test(text) ? text : undefined;
  const range = /^[0-9a-f.:]+(\/\d{1,3})?$/.test(text) ? parseRange(text) : undefined;
  if (!range || isPartlyHidden(range)) return undefined;
  return `${isIPv4(text.replace(/\/.*/, "")) ? "ip4" : "ip6"}:${text}`;
}

/**
 * The record of a domain whose mail leaves from these places.
 *
 * Everything else is a "softfail": a receiver that refuses at "-all" does so before it looks at
 * DKIM, and so loses what was forwarded; what becomes of it is for DMARC to say (RFC 7489 §10.1).
 *
 * @param places as {@link spfTerm} takes them
 * @throws RangeError for a place that it does not take, and for more lookups than receivers make
 * @example spfRecord(["192.0.2.25"]) === "v=spf1 ip4:192.0.2.25 ~all"
 */
export function spfRecord(places: readonly string[]): string {
  const terms = places.map((place) => {
    const term = spfTerm(place);
    if (term === undefined) throw new RangeError(`${place} is no place that SPF can name`);
    return term;
  });
  const record = ["v=spf1", ...new Set(terms), "~all"].join(" ");
  if (spfLookups(record) > MOST_LOOKUPS)
    throw new RangeError(`${spfLookups(record)} lookups; receivers make ${MOST_LOOKUPS} (RFC 7208 §4.6.4)`);
  return record;
}
