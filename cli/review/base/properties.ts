import type { PropertyChange } from "../changes.ts";
import { holdsSecret, showDifference } from "../format-value.ts";

/** A property of both sides, and whether it differs. */
export type PropertyDifference = Omit<PropertyChange, "replaces">;

/** Of a resource's inputs, and of maps within them. */
type Fields = Readonly<Record<string, unknown>>;

/** Inputs that the engine keeps for itself. */
const OWN = /^__/;

/**
 * The properties in which two resources' inputs differ, by their paths as the engine writes them:
 * `labels[0].value`, `settings["queue.route"]`.
 */
export function propertiesThatDiffer(before: Fields, after: Fields): PropertyDifference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !OWN.test(name))
    .flatMap((name) => differences(name, before[name], after[name]));
}

function differences(path: string, before: unknown, after: unknown): PropertyDifference[] {
  if (same(before, after)) return [];
  if (isFields(before) && isFields(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names]
      .filter((name) => !OWN.test(name))
      .flatMap((name) => differences(path + step(name), before[name], after[name]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((each, at) => differences(`${path}[${at}]`, each, after[at]));
  const kind = before === undefined ? "add" : after === undefined ? "delete" : "update";
  return [{ path, ...showDifference(path, before, after, kind) }];
}

/** Keys in any order, and without what the engine keeps for itself, are the same. */
const same = (before: unknown, after: unknown): boolean => canonical(before) === canonical(after);

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (!isPlain(each)) return each;
    const entries = Object.entries(each).filter(([key]) => !OWN.test(key));
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const isPlain = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFields = (value: unknown): value is Fields => isPlain(value) && !holdsSecret(value);

const step = (name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
