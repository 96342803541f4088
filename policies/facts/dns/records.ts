import { gapAt, merge } from "../../framework/judgement.ts";
import type { PolicyResource, Verdict } from "../../framework/policy.ts";
import { formatPath, perResource, readAt, readString, type Path } from "../../framework/values.ts";
import { mayBeGiven } from "../docker/containers.ts";
import { RECORD_KINDS, type RecordKind } from "./record-kinds.ts";
import { setsIn } from "./own-records.ts";
import { listed, type RecordSet, valueOf, type Values } from "./record-values.ts";

export type { RecordSet, RecordValue } from "./record-values.ts";

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
