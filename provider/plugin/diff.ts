/** What the engine sends in the place of a value that is not known yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type DiffKind = "add" | "delete" | "update";

/** A property path as Pulumi's detailed diff writes it → what happens there. */
export type DetailedDiff = Record<string, DiffKind>;

/**
 * Compares two sets of properties value by value, so that a preview names each setting that
 * changes.
 *
 * @example diffProperties({ settings: { "a.b": "1" } }, { settings: { "a.b": "2" } })
 * // { 'settings["a.b"]': "update" }
 */
export function diffProperties(olds: unknown, news: unknown, path = ""): DetailedDiff {
  if (olds === news && news !== UNKNOWN) return {};
  if (olds === undefined) return { [path]: "add" };
  if (news === undefined) return { [path]: "delete" };
  if (!bothMaps(olds, news)) {
    return JSON.stringify(olds) === JSON.stringify(news) && news !== UNKNOWN ? {} : { [path]: "update" };
  }
  const a = olds as Record<string, unknown>;
  const b = news as Record<string, unknown>;
  const diff: DetailedDiff = {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    Object.assign(diff, diffProperties(a[key], b[key], join(path, key)));
  }
  return diff;
}

function bothMaps(a: unknown, b: unknown): boolean {
  return [a, b].every((value) => typeof value === "object" && value !== null && !Array.isArray(value));
}

function join(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}
