/** Values with the place at which each is written. */

/** A line of a file, the file as it is reported. */
export interface At {
  readonly file: string;
  readonly line: number;
}

export interface Scalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly at: At;
  readonly tag?: string | undefined;
  /** Whether its text begins at the next line (`|`, `>`). */
  readonly isBlock?: boolean;
  /** The value with `${NAME}` for what comes from a file that may hold secrets. */
  readonly written?: string | undefined;
  /** Variables in it that have no value here. */
  readonly unset?: readonly string[] | undefined;
}

export interface Sequence {
  readonly kind: "sequence";
  readonly items: readonly Located[];
  readonly at: At;
  readonly tag?: string | undefined;
}

export interface Mapping {
  readonly kind: "mapping";
  readonly entries: ReadonlyMap<string, Located>;
  /** Where each key is written. */
  readonly keys: ReadonlyMap<string, At>;
  readonly at: At;
  readonly tag?: string | undefined;
}

export type Located = Scalar | Sequence | Mapping;

export const emptyMapping = (at: At): Mapping => ({
  kind: "mapping",
  entries: new Map(),
  keys: new Map(),
  at,
});

/** A value below a mapping, by its keys. */
export function below(node: Located | undefined, ...keys: readonly string[]): Located | undefined {
  let here = node;
  for (const key of keys) here = here?.kind === "mapping" ? here.entries.get(key) : undefined;
  return here;
}

/** The entries of a mapping with the place of each key; none of anything else. */
export function entriesOf(node: Located | undefined): { key: string; at: At; node: Located }[] {
  if (node?.kind !== "mapping") return [];
  return [...node.entries].map(([key, value]) => ({ key, at: node.keys.get(key) ?? value.at, node: value }));
}

/** The items of a sequence; a scalar counts as a sequence of one. */
export function itemsOf(node: Located | undefined): readonly Located[] {
  if (node?.kind === "sequence") return node.items;
  return node?.kind === "scalar" && node.value !== null ? [node] : [];
}

/** A scalar's text; undefined for anything else, and for null. */
export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

/** A mapping with other entries than it has. */
export function withEntries(
  mapping: Mapping,
  entries: readonly { readonly key: string; readonly at: At; readonly node: Located }[],
): Mapping {
  return {
    ...mapping,
    entries: new Map(entries.map(({ key, node }) => [key, node])),
    keys: new Map(entries.map(({ key, at }) => [key, at])),
  };
}

/** The same tree with other scalars. */
export function mapScalars(node: Located, change: (scalar: Scalar) => Scalar): Located {
  if (node.kind === "scalar") return change(node);
  if (node.kind === "sequence") return { ...node, items: node.items.map((item) => mapScalars(item, change)) };
  const entries = [...node.entries].map(([key, value]) => [key, mapScalars(value, change)] as const);
  return { ...node, entries: new Map(entries) };
}
