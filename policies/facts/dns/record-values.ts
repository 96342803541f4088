import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { listAt, readString, type Path } from "../../framework/values.ts";
import type { RecordKind } from "./record-kinds.ts";
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

/** @param where how a reader finds it */
export function valueOf(kind: RecordKind, type: string, where: string, written: string): RecordValue {
  const isText = (type === "TXT" || type === "SPF") && kind.sets === undefined;
  const strings = isText ? stringsOf(written, kind.wraps ?? false) : [];
  // Only a list has the preference within the value.
  const text =
    strings.length > 0 ? strings.join("") : written.trim().replace(type === "MX" ? /^\d+\s+/ : /^$/, "");
  return { where, text, strings: kind.divides ? strings : [] };
}

export type Values = Pick<RecordSet, "values" | "gaps">;

/** The values of a list. @param where how a reader finds a path */
export function listed(
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
