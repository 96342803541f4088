import { isRecord, list, strings } from "../json-values.ts";

/**
 * A tailnet policy file once its HuJSON is parsed. Whatever stands in it is still to be doubted.
 */
export type PolicyDocument = Readonly<Record<string, unknown>>;

/** Ports of a protocol that a rule opens. `protocol` undefined: TCP and UDP. */
export interface Opening {
  readonly protocol?: string;
  readonly from: number;
  readonly to: number;
}

/** One destination of a rule: who, and what is open there. */
export interface Destination {
  readonly selector: string;
  readonly openings: readonly Opening[];
  /** True when a part of the ports could not be read. */
  readonly unreadable: boolean;
}

/** An entry of `grants` or `acls`, in one form for both. */
export interface Rule {
  /** @example "grants[3]" */
  readonly where: string;
  readonly src: readonly string[];
  readonly destinations: readonly Destination[];
  /** What it hangs on besides, such as a device posture. */
  readonly condition?: string;
}

/**
 * The values of a member, whose name control servers match without regard to case: "Src" is "src"
 * (headscale v0.29.3 hscontrol/policy/v2/types.go, MatchCaseInsensitiveNames).
 */
export const membersNamed = (object: Record<string, unknown>, name: string): unknown[] =>
  Object.keys(object)
    .filter((key) => key.toLowerCase() === name.toLowerCase())
    .map((key) => object[key])
    .filter((value) => value !== null); // which Go reads as if the key were not there

/** The texts of a list, without the blanks around them that control servers trim as well. */
const textsOf = (object: Record<string, unknown>, name: string): string[] =>
  membersNamed(object, name)
    .flatMap(strings)
    .map((text) => text.trim());

const PROTOCOL_NUMBERS: Readonly<Record<string, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  58: "icmp",
  132: "sctp",
};
const protocolName = (text: string): string => PROTOCOL_NUMBERS[text] ?? text.toLowerCase();

function parsePorts(text: string): { from: number; to: number } | undefined {
  if (text === "*") return { from: 0, to: 65_535 };
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  return from === undefined ? undefined : { from: Number(from), to: Number(to ?? from) };
}

/**
 * `ip` of a grant: "*", "443", "80-443", "tcp:25", "tcp:*"; in old rules a list of ports besides.
 */
function parseOpenings(texts: readonly string[]): Pick<Destination, "openings" | "unreadable"> {
  const openings: Opening[] = [];
  let unreadable = false;
  for (const text of texts) {
    const [, protocol, ports = ""] = /^(?:([\w-]+):)?(.*)$/.exec(text.trim()) ?? [];
    const range = parsePorts(ports);
    if (!range) unreadable = true;
    else if (ports === "*" && protocol === undefined) openings.push({ protocol: "*", ...range });
    else openings.push({ ...(protocol !== undefined && { protocol: protocolName(protocol) }), ...range });
  }
  return { openings, unreadable };
}

function conditionOf(document: PolicyDocument, entry: Record<string, unknown>): { condition?: string } {
  const via = textsOf(entry, "via");
  if (via.length > 0) return { condition: `it only holds via ${via.join(", ")}` };
  const own = textsOf(entry, "srcPosture");
  const posture = own.length > 0 ? own : textsOf(document, "defaultSrcPosture");
  return posture.length > 0 ? { condition: `it asks for the posture ${posture.join(" or ")}` } : {};
}

function section(document: PolicyDocument, name: string): readonly unknown[] | undefined {
  const found = membersNamed(document, name);
  return found.length === 0 ? undefined : found.flatMap(list);
}

function fromGrants(document: PolicyDocument): Rule[] {
  return entriesOf(section(document, "grants")).map(({ entry, index }) => {
    const open = parseOpenings(textsOf(entry, "ip"));
    return {
      where: `grants[${index}]`,
      src: textsOf(entry, "src"),
      destinations: textsOf(entry, "dst").map((selector) => ({ selector, ...open })),
      ...conditionOf(document, entry),
    };
  });
}

/**
 * Destinations of old rules carry their ports: `tag:mail:25,587`, `*:*`, `[fd7a:115c:a1e0::1]:22`.
 */
function fromAcls(document: PolicyDocument): Rule[] {
  return entriesOf(section(document, "acls")).flatMap(({ entry, index }) => {
    if (membersNamed(entry, "action").some((action) => action !== "accept")) return [];
    const proto = membersNamed(entry, "proto").find((value) => ["string", "number"].includes(typeof value));
    const protocol = proto === undefined || proto === "" ? "" : `${String(proto)}:`;
    // Old spellings: `users` and `ports`.
    const destinations = [...textsOf(entry, "dst"), ...textsOf(entry, "ports")].map((text) => {
      // Without ports the control server takes nothing of the file, so this opens nothing.
      const [, selector = text, ports = ""] = /^(.*):([\d\s,*-]+)$/.exec(text) ?? [];
      const openings = ports === "" ? [] : ports.split(",").map((port) => protocol + port.trim());
      return { selector, ...parseOpenings(openings) };
    });
    const src = [...textsOf(entry, "src"), ...textsOf(entry, "users")];
    return [{ where: `acls[${index}]`, src, destinations, ...conditionOf(document, entry) }];
  });
}

function entriesOf(entries: readonly unknown[] = []): { entry: Record<string, unknown>; index: number }[] {
  return entries.flatMap((entry, index) => (isRecord(entry) ? [{ entry, index }] : []));
}

/** True for a file that opens everything by saying nothing: control servers read it so. */
export function allowsAllBySilence(document: PolicyDocument): boolean {
  return section(document, "grants") === undefined && section(document, "acls") === undefined;
}

const known = new WeakMap<PolicyDocument, readonly Rule[]>();

/**
 * Every rule of the file that opens something. A grant without `ip` is one for applications and
 * opens no port.
 */
export function rulesOf(document: PolicyDocument): readonly Rule[] {
  const rules = known.get(document) ?? readRules(document);
  known.set(document, rules); // a policy asks once for each connection
  return rules;
}

function readRules(document: PolicyDocument): Rule[] {
  if (allowsAllBySilence(document)) {
    const everything = {
      selector: "*",
      openings: [{ protocol: "*", from: 0, to: 65_535 }],
      unreadable: false,
    };
    return [{ where: "the file, which has no grants key,", src: ["*"], destinations: [everything] }];
  }
  return [...fromGrants(document), ...fromAcls(document)];
}
