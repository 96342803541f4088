import { gapAt, merge } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource, Verdict } from "../../framework/policy.ts";
import {
  formatPath,
  listAt,
  perResource,
  read,
  readAt,
  readString,
  type Path,
} from "../../framework/values.ts";
import { mayBeGiven } from "../docker/containers.ts";
import { RECORD_KINDS, type RecordKind } from "./record-kinds.ts";
import { stringsOf } from "./txt.ts";

/** One value of a record set, in the words of a zone file. */
export interface RecordValue {
  readonly where: string;
  /** TXT: its strings joined. MX: the host alone. CAA: `0 issue ca.example`. */
  readonly text: string;
  /** Of TXT: the strings, where the program says how the value is divided; else one. */
  readonly strings: readonly string[];
}

/** What a resource says of one name and type; tailwart's says it of many. */
export interface RecordSet {
  readonly resource: PolicyResource;
  /** Upper case; undefined where it is unknown. */
  readonly type: string | undefined;
  /** As it is written, relative to its zone or not; undefined where it is unknown. */
  readonly name: string | undefined;
  readonly values: readonly RecordValue[];
  /** What is unknown of the values. */
  readonly gaps: readonly NotJudged[];
  /** True where the provider works out the answer, so that values are not in the resource. */
  readonly elsewhere: boolean;
  /**
   * Of a set that is one of several for its name, of which an answer holds one: which one. Empty
   * for all others.
   */
  readonly variant: string;
}

export const NO_RECORD = { notApplicable: "no DNS record is in it" } as const;

/** The text of an input, `undefined` where it has none, or not known; numbers are texts too. */
function inputAt(resource: PolicyResource, path: Path): { known: boolean; value?: string } {
  const found = readAt(resource.props, path);
  // Over the whole stack what the program does not give is unknown, where the provider fills it in.
  if (!found.known) return { known: !mayBeGiven(resource, String(path[0])) };
  return typeof found.value === "string" || typeof found.value === "number"
    ? { known: true, value: String(found.value) }
    : { known: true };
}

function valueOf(kind: RecordKind, type: string, where: string, written: string): RecordValue {
  const isText = (type === "TXT" || type === "SPF") && kind.sets === undefined;
  const strings = isText ? stringsOf(written, kind.wraps ?? false) : [];
  // Only a list has the preference within the value.
  const text =
    strings.length > 0 ? strings.join("") : written.trim().replace(type === "MX" ? /^\d+\s+/ : /^$/, "");
  return { where, text, strings: kind.divides ? strings : [] };
}

type Values = Pick<RecordSet, "values" | "gaps">;

/** The values of a list. @param where how a reader finds a path */
function listed(
  root: unknown,
  path: Path,
  kind: RecordKind,
  type: string,
  where: (path: Path) => string,
): Values {
  const below: Path = kind.item === undefined ? [] : [kind.item];
  const read = listAt(root, path).entries.map((item) => {
    const at = [...item.path, ...below];
    return { where: where(at), text: readString(root, at) };
  });
  return {
    values: read.flatMap(({ where, text }) =>
      text.value === undefined ? [] : [valueOf(kind, type, where, text.value)],
    ),
    gaps: read.filter(({ text }) => !text.known).map(({ where }) => gapAt(where)),
  };
}

function ofList(resource: PolicyResource, kind: RecordKind, many: string, type: string): Values {
  if (!readAt(resource.props, [many]).known)
    return { values: [], gaps: mayBeGiven(resource, many) ? [gapAt(many)] : [] };
  return listed(resource.props, [many], kind, type, formatPath);
}

/** A CAA record that is written in parts. */
function inParts(resource: PolicyResource, kind: RecordKind, at: Path): Values | undefined {
  const parts = ["flags", "tag", "value"].map((part) => inputAt(resource, [...at, part]));
  const where = formatPath([...at, "value"]);
  if (parts.some(({ known }) => !known)) return { values: [], gaps: [gapAt(where)] };
  const [flags, tag, value] = parts.map((part) => part.value);
  if (tag === undefined || value === undefined) return undefined;
  return { values: [valueOf(kind, "CAA", where, `${flags ?? 0} ${tag} ${value}`)], gaps: [] };
}

function single(resource: PolicyResource, kind: RecordKind, type: string): Values {
  const parts = type === "CAA" && kind.caa ? inParts(resource, kind, kind.caa) : undefined;
  if (parts) return parts;
  for (const input of kind.one ?? []) {
    const { known, value } = inputAt(resource, [input]);
    if (!known) return { values: [], gaps: [gapAt(input)] };
    if (value !== undefined) return { values: [valueOf(kind, type, input, value)], gaps: [] };
  }
  return { values: [], gaps: [] };
}

function variantOf(resource: PolicyResource): string {
  // With a multivalue policy an answer holds all of the sets.
  const together = readAt(resource.props, ["multivalueAnswerRoutingPolicy"]);
  if (together.known && together.value === true) return "";
  const id = inputAt(resource, ["setIdentifier"]);
  return id.known ? (id.value ?? "") : resource.urn;
}

/** Whether a resource has an input: something that is not empty, or what is unknown yet. */
function has(resource: PolicyResource, input: string): boolean {
  const found = readAt(resource.props, [input]);
  if (!found.known) return mayBeGiven(resource, input);
  return Array.isArray(found.value) ? found.value.length > 0 : typeof (found.value ?? "") === "object";
}

/** The sets of a resource that holds those of many names. */
function setsIn(resource: PolicyResource, kind: RecordKind, input: string): RecordSet[] {
  const map = read(resource.props, input);
  const made = { resource, elsewhere: false, variant: "" };
  const open = { ...made, type: undefined, name: undefined, values: [] };
  if (!map.known) return [{ ...open, gaps: [gapAt(input)] }];
  return Object.keys(map.value ?? {}).map((key): RecordSet => {
    const [name, type = ""] = key.split(" ");
    const place = `${input}["${key}"]`;
    const list = read(map.value, key);
    if (!list.known) return { ...made, type, name, values: [], gaps: [gapAt(place)] };
    return { ...made, type, name, ...listed(list.value, [], kind, type, (path) => place + formatPath(path)) };
  });
}

/** The records of a resource; none of a resource of another type. */
export const recordSetsOf = perResource(
  (resource: PolicyResource): readonly RecordSet[] => {
    const kind = RECORD_KINDS[resource.type];
    if (!kind) return [];
    if (kind.sets !== undefined) return setsIn(resource, kind, kind.sets);
    const type = readString(resource.props, ["type"]).value?.toUpperCase();
    const values = kind.many
      ? ofList(resource, kind, kind.many, type ?? "TXT")
      : single(resource, kind, type ?? "TXT");
    const set = {
      resource,
      type,
      name: readString(resource.props, ["name"]).value,
      ...values,
      elsewhere: (kind.instead ?? []).some((input) => has(resource, input)),
      variant: variantOf(resource),
    };
    return [set];
  },
  ({ props }) => props,
);

/** Whether a set is of one of these types, or may be. */
export const ofType = ({ type }: RecordSet, ...types: string[]): boolean =>
  type === undefined || types.includes(type);

/** A name that is no sender's: a key, a challenge or reports, and no policy. */
export const isNoSender = (name: string | undefined): boolean => /(?:^|\.)_(?!dmarc\b|spf)/i.test(name ?? "");

/** What a policy says of a resource's sets, one by one. */
export function judgeSets(resource: PolicyResource, judge: (set: RecordSet) => Verdict): Verdict {
  const verdicts = recordSetsOf(resource).map(judge);
  const judged = verdicts.flatMap((verdict) => ("notApplicable" in verdict ? [] : [verdict]));
  return judged.length > 0 ? merge(...judged) : (verdicts[0] ?? NO_RECORD);
}
