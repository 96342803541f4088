/** What an SPF record of the stack lets pass, as far as the stack tells (RFC 7208 §4.6). */
import {
  coverTogether,
  covers,
  overlaps,
  parseRange,
  type AddressRange,
} from "../../../lib/address-ranges.ts";
import { readSpfTerm, spfTerms, type SpfTerm } from "../../../lib/dns/spf-terms.ts";
import { setsOf, type ByName } from "./lookup.ts";
import { areOfMadeZone, hostIn, type OwnedSet } from "./zones.ts";

/** The terms that receivers read: none behind `all`, beside which `redirect` counts for nothing. */
function readTerms(text: string): SpfTerm[] {
  const terms = spfTerms(text).flatMap((term) => readSpfTerm(term) ?? []);
  const all = terms.findIndex(({ name }) => name === "all");
  return all < 0 ? terms : terms.slice(0, all + 1).filter(({ name }) => name !== "redirect");
}

/** What lets mail pass from somewhere. */
export const passingTerms = (text: string): SpfTerm[] =>
  readTerms(text).filter(({ name, qualifier }) => qualifier === "+" || name === "redirect");

const EVERYTHING = ["0.0.0.0/0", "::/0"].flatMap((range) => parseRange(range) ?? []);

/** What becomes of mail from a place: "open" where the stack does not tell. */
export type SpfAnswer = "pass" | "fail" | "open";

/**
 * @param place an address or a network, or `include:` and a name
 * @param set the record's, whose owner `a` and `mx` mean
 */
export const answerFor = (text: string, place: string, set: OwnedSet, names: ByName): SpfAnswer =>
  place.startsWith("include:") ? forInclude(text, place) : forRange(text, parseRange(place), set, names);

/** A record may have another one's addresses, written out or by a further name. */
function forInclude(text: string, place: string): SpfAnswer {
  const passing = passingTerms(text);
  if (passing.some(({ name, value }) => `${name}:${value}` === place.toLowerCase() || name === "all"))
    return "pass";
  return passing.length > 0 ? "open" : "fail";
}

function forRange(text: string, place: AddressRange | undefined, set: OwnedSet, names: ByName): SpfAnswer {
  if (!place) return "open";
  const passing: AddressRange[] = [];
  let open = false;
  for (const term of readTerms(text)) {
    const { ranges, whole } = rangesOf(term, set, names);
    if (term.qualifier === "+") passing.push(...ranges);
    else if (ranges.some((range) => covers(range, place))) break;
    else if (ranges.some((range) => overlaps(range, place))) open = true;
    if (coverTogether(passing, place)) return "pass";
    if (!whole) open = true;
  }
  return open ? "open" : "fail";
}

/** Addresses that a term matches. */
interface Matched {
  readonly ranges: readonly AddressRange[];
  /** Whether it matches no others: what the stack does not have may still be in the DNS. */
  readonly whole: boolean;
}

function rangesOf({ name, value, prefix }: SpfTerm, set: OwnedSet, names: ByName): Matched {
  const at = value || set.owner || "";
  switch (name) {
    case "all":
      return { ranges: EVERYTHING, whole: true };
    case "ip4":
    case "ip6":
      return { ranges: [parseRange(value + prefix)].filter((range) => range !== undefined), whole: true };
    case "a":
      return hostRanges(at, prefix, set, names);
    case "mx": {
      const mx = setsOf(names, at, set.zone).filter(({ type }) => type === "MX");
      const hosts = mx.flatMap((one) => one.values.map(({ text }) => hostIn(one, text)));
      const all = hosts.map((host) => (host ? hostRanges(host, prefix, set, names) : UNKNOWN));
      return {
        ranges: all.flatMap(({ ranges }) => ranges),
        whole: areWhole(mx) && all.every(({ whole }) => whole),
      };
    }
    default:
      // An unknown modifier says nothing; `include`, `exists`, `ptr` and `redirect` ask elsewhere.
      return { ranges: [], whole: !["include", "exists", "ptr", "redirect"].includes(name) };
  }
}

const UNKNOWN: Matched = { ranges: [], whole: false };

/** Whether sets are there, all that is in them is, and nobody may have set more. */
const areWhole = (sets: readonly OwnedSet[]): boolean =>
  sets.length > 0 &&
  areOfMadeZone(sets) &&
  sets.every(({ gaps, elsewhere, values }) => gaps.length === 0 && !elsewhere && values.length > 0);

/** The addresses of a host, of both families. */
function hostRanges(host: string, prefix: string, { zone }: OwnedSet, names: ByName): Matched {
  const sets = setsOf(names, host, zone);
  if (sets.some(({ type }) => type === "CNAME" || type === undefined)) return UNKNOWN;
  const own = sets.filter(({ type }) => type === "A" || type === "AAAA");
  const [, four = "", six = ""] = /^(\/\d+)?(?:\/(\/\d+))?$/.exec(prefix) ?? [];
  const ranges = own
    .flatMap(({ type, values }) =>
      values.map(({ text }) => parseRange(text.trim() + (type === "A" ? four : six))),
    )
    .filter((range) => range !== undefined);
  return { ranges, whole: areWhole(own) };
}
