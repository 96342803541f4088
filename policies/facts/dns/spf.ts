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
import { hostIn, type OwnedSet } from "./zones.ts";

/** The terms that receivers read: none behind `all`, beside which `redirect` counts for nothing. */
export function readTerms(text: string): SpfTerm[] {
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
    const ranges = rangesOf(term, set, names);
    if (ranges === undefined) open = true;
    else if (term.qualifier === "+") passing.push(...ranges);
    else if (ranges.some((range) => covers(range, place))) break;
    else if (ranges.some((range) => overlaps(range, place))) open = true;
    if (coverTogether(passing, place)) return "pass";
  }
  return open ? "open" : "fail";
}

/** The addresses that a term matches; undefined where the stack does not tell. */
function rangesOf(
  { name, value, prefix }: SpfTerm,
  set: OwnedSet,
  names: ByName,
): AddressRange[] | undefined {
  const at = value || set.owner || "";
  switch (name) {
    case "all":
      return EVERYTHING;
    case "ip4":
    case "ip6":
      return [parseRange(value + prefix)].filter((range) => range !== undefined);
    case "a":
      return hostRanges(at, prefix, set, names);
    case "mx": {
      const mx = setsOf(names, at, set.zone).filter(({ type }) => type === "MX");
      if (!areKnown(mx)) return undefined;
      const hosts = mx.flatMap((one) => one.values.map(({ text }) => hostIn(one, text)));
      const all = hosts.map((host) => host && hostRanges(host, prefix, set, names));
      return all.every((ranges) => typeof ranges === "object") ? all.flat() : undefined;
    }
    default:
      // An unknown modifier says nothing; `include`, `exists`, `ptr` and `redirect` ask elsewhere.
      return ["include", "exists", "ptr", "redirect"].includes(name) ? undefined : [];
  }
}

/** Whether sets are there, and all that is in them is. */
const areKnown = (sets: readonly OwnedSet[]): boolean =>
  sets.length > 0 &&
  sets.every(({ gaps, elsewhere, values }) => gaps.length === 0 && !elsewhere && values.length > 0);

/** The addresses of a host, of both families. */
function hostRanges(
  host: string,
  prefix: string,
  { zone }: OwnedSet,
  names: ByName,
): AddressRange[] | undefined {
  const sets = setsOf(names, host, zone);
  if (!areKnown(sets.filter(({ type }) => type === "A" || type === "AAAA"))) return undefined;
  if (sets.some(({ type }) => type === "CNAME" || type === undefined)) return undefined;
  const [, four = "", six = ""] = /^(\/\d+)?(?:\/(\/\d+))?$/.exec(prefix) ?? [];
  return sets
    .filter(({ type }) => type === "A" || type === "AAAA")
    .flatMap(({ type, values }) =>
      values.map(({ text }) => parseRange(text.trim() + (type === "A" ? four : six))),
    )
    .filter((range) => range !== undefined);
}
