/** What an SPF record says, for who reads one: the policies as well (RFC 7208). */
import { isIPv4, isIPv6 } from "node:net";

/** Lookups that a receiver makes for one record before it gives up for good (§4.6.4). */
export const MOST_LOOKUPS = 10;

/** Mechanisms and the modifier for which a receiver asks the DNS (§4.6.4). */
const ASKS = /^(?:[+?~-]?(?:include:|exists:|(?:a|mx|ptr)(?=[:/]|$))|redirect=)/i;

/** True for a value that a receiver takes for an SPF record (§4.5). */
export const isSpf = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

/** The terms of an SPF record, without the version. */
export const spfTerms = (text: string): string[] => text.split(/ +/).slice(1).filter(Boolean);

/**
 * How many of the ten lookups a record costs by its own terms; each `include:` costs what is in it
 * as well, which only its own record tells.
 *
 * @example spfLookups("v=spf1 ip4:192.0.2.25 include:_spf.example.net ~all") === 1
 */
export const spfLookups = (text: string): number => spfTerms(text).filter((term) => ASKS.test(term)).length;

/** What a term says. */
export interface SpfTerm {
  /** What becomes of mail from a host that it matches; of a modifier "". */
  readonly qualifier: "+" | "-" | "~" | "?" | "";
  /** In lower case. */
  readonly name: string;
  /** What stands behind `:` or `=`, in lower case, without prefix lengths; "" for nothing. */
  readonly value: string;
  /** Prefix lengths as they are written, such as `/24` and `/24//64`; "" for none. */
  readonly prefix: string;
}

const MECHANISM =
  /^([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::(.*?))?((?:\/\d{1,3})?(?:\/\/\d{1,3})?)$/;
/** A name without macros, whose delimiters may be what no name has (§7.1). */
const isHost = (value: string | undefined): boolean => /^[^\s/@:,;"]+$/.test(value ?? "");

/** Whether prefix lengths fit: IPv4's behind one slash, IPv6's of `a` and `mx` behind two (§5). */
function isPrefix(prefix: string, four: number, six: number): boolean {
  const [, one = "0", two = "0"] = /^(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(prefix) ?? [];
  return Number(one) <= four && Number(two) <= six;
}

const VALID: Readonly<Record<string, (value: string | undefined, prefix: string) => boolean>> = {
  all: (value, prefix) => value === undefined && prefix === "",
  include: (value, prefix) => isHost(value) && prefix === "",
  exists: (value) => isHost(value),
  ptr: (value, prefix) => (value === undefined || isHost(value)) && prefix === "",
  a: (value, prefix) => (value === undefined || isHost(value)) && isPrefix(prefix, 32, 128),
  mx: (value, prefix) => (value === undefined || isHost(value)) && isPrefix(prefix, 32, 128),
  ip4: (value, prefix) => isIPv4(value ?? "") && isPrefix(prefix, 32, 0),
  ip6: (value, prefix) => isIPv6(value ?? "") && isPrefix(prefix, 128, 0),
};

/**
 * Reads a term; undefined for one that no receiver can read, so that the whole record is a
 * permerror to it (§4.6).
 *
 * @example
 * readSpfTerm("~a:mail.example.org/24")
 * // { qualifier: "~", name: "a", value: "mail.example.org", prefix: "/24" }
 */
export function readSpfTerm(term: string): SpfTerm | undefined {
  const text = term.toLowerCase();
  const [, modifier, of = ""] = /^([a-z][a-z0-9._-]*)=(.*)$/.exec(text) ?? [];
  if (modifier !== undefined) {
    const isKnown = modifier === "redirect" || modifier === "exp";
    const isRead = !isKnown || isHost(of) || of.includes("%");
    return isRead ? { qualifier: "", name: modifier, value: of, prefix: "" } : undefined;
  }
  // A macro may end in what looks like a prefix.
  const [, qualifier = "", name = "", value, prefix = ""] = MECHANISM.exec(text) ?? [];
  if (value?.includes("%") && name !== "ip4" && name !== "ip6")
    return { qualifier: (qualifier || "+") as "+", name, value, prefix };
  if (!VALID[name]?.(value, prefix)) return undefined;
  return { qualifier: (qualifier || "+") as "+", name, value: value ?? "", prefix };
}
