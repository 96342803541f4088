/**
 * Properties whose value is another row's id. The server makes ids up, so a declaration names the
 * row, and a live id is read back as that name.
 */
import type { LiveRows } from "./jmap.ts";
import { REFERENCE } from "../../lib/desired-state/registry/spelling.ts";

type Json = Record<string, unknown>;
const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The row that a value names, or undefined.
 * @example referredBy({ "#ref": "DnsServer/rfc2136" }) === "DnsServer/rfc2136"
 */
export function referredBy(value: unknown): string | undefined {
  const key = isMap(value) ? value[REFERENCE] : undefined;
  return typeof key === "string" ? key : undefined;
}

/** Every row that is named somewhere in a value. */
export function referencesIn(value: unknown): string[] {
  const key = referredBy(value);
  if (key !== undefined) return [key];
  return isMap(value) ? Object.values(value).flatMap(referencesIn) : [];
}

/**
 * Puts ids in the place of references.
 *
 * @throws Error for a row that is not there
 */
export function withIds(value: unknown, live: LiveRows): unknown {
  const key = referredBy(value);
  if (key !== undefined) {
    const id = live.get(key)?.id;
    if (id === undefined) throw new Error(`${key} is not there, and is named by another row`);
    return id;
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withIds(inner, live)]));
}

/** Puts references in the place of live ids, wherever the declaration has one. */
export function withReferences(value: unknown, declared: unknown, live: LiveRows): unknown {
  const named = referredBy(declared);
  if (named !== undefined) {
    if (value !== undefined && live.get(named)?.id === value) return declared;
    const object = named.split("/")[0];
    const other = [...live].find(([key, row]) => key.split("/")[0] === object && row.id === value);
    return other ? { [REFERENCE]: other[0] } : value;
  }
  if (!isMap(value) || !isMap(declared)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, withReferences(inner, declared[name], live)]),
  );
}

/** Whether an id stands anywhere in a row. */
export function mentions(value: unknown, id: string): boolean {
  return isMap(value) ? Object.values(value).some((inner) => mentions(inner, id)) : value === id;
}
