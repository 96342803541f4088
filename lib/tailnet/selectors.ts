import {
  coverTogether,
  covers,
  overlaps,
  parseRange,
  TAILNET_V4,
  TAILNET_V6,
  type AddressRange,
} from "../address-ranges.ts";
import { isRecord, strings } from "../json-values.ts";
import { membersNamed, type PolicyDocument } from "./access-rules.ts";

/** What is known of one end of a connection. */
export interface Party {
  /** Its tags. Undefined or empty: not known. A tagged node belongs to no user. */
  readonly tags?: readonly string[];
  /** A name or an address of it. */
  readonly host?: string;
  /** People as a rule's source names them: `autogroup:admin`, `group:ops`, `alice@example.org`. */
  readonly people?: string;
}

/** "yes" and "maybe" say which rule does it; "maybe" and why it cannot be told. */
export interface Answer {
  readonly answer: "yes" | "no" | "maybe";
  readonly rule?: string;
  readonly because?: string;
  /** True for a "maybe" that hangs on which node has an address at the moment. */
  readonly byAddress?: true;
}

export const YES: Answer = { answer: "yes" };
export const NO: Answer = { answer: "no" };
export const maybe = (because: string): Answer => ({ answer: "maybe", because });

/** Both must hold. */
export function both(a: Answer, b: Answer): Answer {
  if (a.answer === "no" || b.answer === "no") return NO;
  return a.answer === "maybe" ? a : b;
}

/** One is enough. */
export function either(answers: readonly Answer[]): Answer {
  const perhaps = answers.filter(({ answer }) => answer === "maybe");
  return (
    answers.find(({ answer }) => answer === "yes") ??
    perhaps.find(({ byAddress }) => byAddress !== true) ??
    perhaps[0] ??
    NO
  );
}

export const isPeople = (selector: string): boolean => /^(?:autogroup:|group:|user:)|@/.test(selector);

/** MagicDNS answers a node by its first label and by its full name. */
export function sameHost(a: string, b: string): boolean {
  const [one, two] = [a, b].map((name) => name.toLowerCase().replace(/\.$/, "")) as [string, string];
  const [shorter, longer] = one.length <= two.length ? [one, two] : [two, one];
  return shorter === longer || (!shorter.includes(".") && longer.startsWith(`${shorter}.`));
}

function matchPeople(selector: string, { tags = [], host, people }: Party, document: PolicyDocument): Answer {
  if (selector === "autogroup:danger-all") return YES;
  if (selector === "autogroup:internet" || selector === "autogroup:nonroot") return NO;
  if (tags.length > 0) return selector === "autogroup:tagged" ? YES : NO;
  if (people === undefined)
    return maybe(`whether ${host ?? "the node"} belongs to ${selector} cannot be told`);
  if (selector === people) return YES;
  if (selector === "autogroup:tagged") return NO;
  // Every user of the tailnet is a member; a group may hold guests only by way of autogroup:shared.
  if (selector === "autogroup:member" || selector === "autogroup:members")
    return people === "autogroup:shared" ? NO : YES;
  if (selector.startsWith("group:") && people.includes("@"))
    return strings(inSection(document, "groups", selector)).includes(people) ? YES : NO;
  if (selector.includes("@") && people.includes("@")) return NO;
  return maybe(`whether ${people} belong to ${selector} cannot be told`);
}

/**
 * A node has one address of each of the tailnet's ranges; which one, only the control server knows.
 */
function matchRanges(ranges: readonly AddressRange[], { host, tags }: Party, text: string): Answer {
  const own = host === undefined ? undefined : parseRange(host);
  if (own) return ranges.some((range) => covers(range, own)) ? YES : NO;
  if (coverTogether(ranges, TAILNET_V4)) return YES;
  const near = ranges.some((range) => overlaps(range, TAILNET_V4) || overlaps(range, TAILNET_V6));
  if (near && ranges.every(({ from, to }) => from === to))
    return { ...maybe(`which node has ${text} cannot be told`), byAddress: true };
  // Behind a subnet router any other address may be meant by a name that is not the tailnet's own.
  const onTailnet = (tags ?? []).length > 0 || host === undefined || /\.ts\.net\.?$/i.test(host);
  return near || !onTailnet ? maybe(`which node has ${text} cannot be told`) : NO;
}

/** What a name stands for in `groups`, `hosts` or `ipsets`. */
const inSection = (document: PolicyDocument, section: string, name: string): unknown =>
  membersNamed(document, section)
    .filter(isRecord)
    .map((names) => names[name])
    .find((meaning) => meaning !== undefined);

function rangesOfSet(name: string, document: PolicyDocument, depth = 0): AddressRange[] | undefined {
  const items = strings(inSection(document, "ipsets", name));
  if (items.length === 0 || depth > 8) return undefined;
  const all = items.map((item) => {
    const [, verb = "add", selector = ""] = /^(?:(add|remove)\s+)?(.*)$/.exec(item.trim()) ?? [];
    if (verb === "remove") return undefined; // its holes are not worked out
    return selector.startsWith("ipset:")
      ? rangesOfSet(selector, document, depth + 1)
      : rangesNamed(selector, document);
  });
  return all.every((ranges) => ranges !== undefined) ? all.flat() : undefined;
}

function rangesNamed(selector: string, document: PolicyDocument): AddressRange[] | undefined {
  const alias = inSection(document, "hosts", selector.replace(/^host:/, ""));
  const range = parseRange(typeof alias === "string" ? alias : selector);
  return range && [range];
}

/** True for a selector that stands for one address, itself or as a host of the file. */
export function isOneAddress(selector: string, document: PolicyDocument): boolean {
  const [range] = rangesNamed(selector, document) ?? [];
  return range !== undefined && range.from === range.to;
}

const rangesMeant = (selector: string, document: PolicyDocument): AddressRange[] | undefined =>
  selector.startsWith("ipset:") ? rangesOfSet(selector, document) : rangesNamed(selector, document);

/**
 * True for selectors that together mean every node of the tailnet: by `*`, by all people and all
 * tagged nodes, or by ranges, aliases of `hosts` and `ipsets` that hold every address.
 *
 * @example meansEveryNode(["100.64.0.0/11", "100.96.0.0/11"], {}) // true
 */
export function meansEveryNode(selectors: readonly string[], document: PolicyDocument): boolean {
  if (selectors.includes("*") || selectors.includes("autogroup:danger-all")) return true;
  if (selectors.includes("autogroup:tagged") && selectors.some((one) => /^autogroup:members?$/.test(one)))
    return true;
  const ranges = selectors.flatMap((selector) => rangesMeant(selector, document) ?? []);
  return coverTogether(ranges, TAILNET_V4) || coverTogether(ranges, TAILNET_V6);
}

/** Whether a selector of a rule means this end of a connection. */
export function matches(selector: string, party: Party, document: PolicyDocument): Answer {
  if (selector === "*") return YES;
  const { tags = [], host, people } = party;
  if (selector.startsWith("tag:")) {
    if (tags.length > 0) return tags.includes(selector) ? YES : NO;
    if (people !== undefined) return NO;
    return maybe(`whether ${host ?? "the node"} carries ${selector} cannot be told`);
  }
  if (isPeople(selector)) return matchPeople(selector, party, document);
  if (people !== undefined) return maybe(`whether ${people} use ${selector} cannot be told`);
  const name = selector.replace(/^(?:host|svc):/, "");
  if (host !== undefined && sameHost(name, host)) return YES;
  if (selector.startsWith("svc:")) return NO; // a service has a name and addresses of its own
  const ranges = rangesMeant(selector, document);
  return ranges ? matchRanges(ranges, party, selector) : maybe(`what ${selector} stands for cannot be told`);
}
