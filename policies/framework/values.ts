import { UnknownValueError } from "@pulumi/policy";

import { UNKNOWN_MARK } from "./wire/inputs.ts";

/** Keys and indices from a resource's inputs down to a value. */
export type Path = readonly (string | number)[];

/** Where a node of a config is, for a reader. */
export type Place = (node: unknown, path: Path) => string;

/** A value that could be read, or the fact that it is unknown at preview. */
export type MaybeKnown = { readonly known: true; readonly value: unknown } | { readonly known: false };

export interface Leaf {
  readonly path: Path;
  readonly value: string | number | boolean;
}

export interface Gap {
  readonly path: Path;
  readonly because: string;
}

export const UNKNOWN_AT_PREVIEW = "unknown until the update";

/** Without a stack trace, which nobody reads, and which takes longer than most policies. */
function withoutTrace<Result>(answer: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return answer();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * Reads one key in a guard of its own. During preview the SDK hands out proxies that throw when an
 * unknown value is read; without the guard the first unknown would blind the rest of the rule
 * (iteration, spread and JSON.stringify all throw, Object.keys does not).
 */
export function read(container: unknown, key: string | number): MaybeKnown {
  try {
    const value = withoutTrace(() => (container as Record<string | number, unknown> | undefined)?.[key]);
    return { known: true, value };
  } catch (error) {
    if (error instanceof UnknownValueError) return { known: false };
    throw error;
  }
}

/** Reads a value at a path; unknown when any step is. A missing step gives a known `undefined`. */
export function readAt(root: unknown, path: Path): MaybeKnown {
  let here: MaybeKnown = { known: true, value: root };
  for (const key of path) {
    if (!here.known) return here;
    if (typeof here.value !== "object" || here.value === null) return { known: true, value: undefined };
    here = read(here.value, key);
  }
  return here;
}

/** Reads a string at a path: the string, `undefined` when there is none, or not known. */
export function readString(root: unknown, path: Path): { known: boolean; value?: string } {
  const result = readAt(root, path);
  if (!result.known) return { known: false };
  return typeof result.value === "string" ? { known: true, value: result.value } : { known: true };
}

export interface Entry {
  readonly path: Path;
  readonly entry: MaybeKnown;
}

/**
 * The entries of the list at a path, which may each be unknown, as may the list; none where it is
 * no list.
 */
export function listAt(root: unknown, path: Path): { known: boolean; entries: Entry[] } {
  const list = readAt(root, path);
  const items: unknown = list.known ? list.value : [];
  const length = Array.isArray(items) ? items.length : 0;
  const entries = Array.from({ length }, (_, i) => ({ path: [...path, i], entry: read(items, i) }));
  return { known: list.known, entries };
}

/** Every value below a root that could be read, and the places that could not. */
export interface Visited {
  readonly leaves: readonly Leaf[];
  readonly gaps: readonly Gap[];
}

/**
 * Keeps what a function makes of a resource or its inputs: policies are given one object for each
 * resource (wire/inputs.ts), and several of them ask the same of it.
 *
 * @param keyOf what the answers are kept by, where the subject is made anew for each question
 */
export function perResource<Subject extends object, Result>(
  make: (subject: Subject) => Result,
  keyOf: (subject: Subject) => object = (subject) => subject,
): (subject: Subject) => Result {
  const made = new WeakMap<object, { readonly result: Result }>();
  return (subject) => {
    const key = keyOf(subject);
    const known = made.get(key) ?? { result: make(subject) };
    made.set(key, known);
    return known.result;
  };
}

/** Visits every value below a root. Unknown ones, and files that are read at deploy, are gaps. */
export function walk(root: unknown): Visited {
  return typeof root === "object" && root !== null ? visitOnce(root) : visitAll(root);
}

const visitOnce = perResource((root: object): Visited => visitAll(root));

/**
 * Past the SDK's proxies, which make one more for each value that is read. Only what looks like the
 * mark of an unknown value is then read through them, since a program may well have such a text of
 * its own.
 */
function visitAll(root: unknown): Visited {
  const leaves: Leaf[] = [];
  const gaps: Gap[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === "string" && UNKNOWN_MARK.test(value) && !readAt(root, path).known) {
      gaps.push({ path, because: UNKNOWN_AT_PREVIEW });
    } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      leaves.push({ path, value });
    } else if (typeof value === "object" && value !== null) {
      const isArchive = inside(value, "__pulumiArchive") === true;
      if (isArchive || inside(value, "__pulumiAsset") === true) {
        // Wire/inputs.ts shows those of text.
        const shown = inside(value, isArchive ? "assets" : "text");
        if (shown !== undefined) visit(shown, isArchive ? [...path, "assets"] : path);
        else gaps.push({ path, because: "an asset, whose content is only read at deploy" });
        return;
      }
      const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
      for (const key of keys) visit(inside(value, key), [...path, key]);
    }
  };
  visit(root, []);
  return { leaves, gaps };
}

/** A property as it is, also where reading it would throw. */
const inside = (container: object, key: string | number): unknown =>
  Object.getOwnPropertyDescriptor(container, key)?.value;

/** A path as a person writes it. A key too long to be a name could be a secret: left out. */
export function formatPath(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (key.length > 60 || /[\s"'\\]/.test(key)) text += `["…"]`;
    else text += /^[\w-]+$/.test(key) ? `${text && "."}${key}` : `["${key}"]`;
  }
  return text;
}
