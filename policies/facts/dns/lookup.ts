import { nearest, upwards } from "../../../lib/domain-names.ts";
import type { OwnedSet, Zone } from "./zones.ts";

/** The sets of a stack by the whole names of their owners. */
export type ByName = ReadonlyMap<string | undefined, readonly OwnedSet[]>;

export const byName = (sets: readonly OwnedSet[]): ByName =>
  Map.groupBy(
    sets.filter(({ whole }) => whole),
    ({ owner }) => owner,
  );

/**
 * The sets of a name that somebody finds who is shown a zone: of that zone, and of all that are not
 * known to be for some networks only.
 */
export const setsOf = (names: ByName, name: string, zone: Zone): OwnedSet[] =>
  (names.get(name) ?? []).filter((set) => set.zone.key === zone.key || set.zone.isPublic !== false);

/** The zone of the stack's own making in which a name is, the nearest one. */
export function madeZoneOf(sets: readonly OwnedSet[]): (name: string) => Zone | undefined {
  const made = new Map(
    sets.flatMap(({ zone }) =>
      zone.resource && zone.isPublic !== false ? [[zone.name, zone] as const] : [],
    ),
  );
  return (name) => made.get(nearest(name, made));
}

/**
 * Whether a name in a zone that has no set of its own may have an answer after all: by a wildcard,
 * or since the name servers of a zone below answer.
 */
export const mayBeAnswered = (names: ByName, name: string, zone: Zone): boolean =>
  upwards(name)
    .slice(1)
    .some((parent) => names.has(`*.${parent}`)) ||
  upwards(name).some(
    (one) => one !== zone.name && names.get(one)?.some(({ type }) => type === "NS" || type === undefined),
  );

/**
 * The CAA sets that a CA finds for a name: its own, or those of the nearest name above that has any
 * (RFC 8659 §3).
 *
 * @returns undefined where there are none, or where the answer may come from elsewhere
 */
export function caaFor(names: ByName, name: string): OwnedSet[] | undefined {
  for (const at of upwards(name)) {
    const sets = (names.get(at) ?? []).filter(({ zone }) => zone.isPublic !== false);
    const caa = sets.filter(({ type }) => type === "CAA");
    if (caa.length > 0) return caa;
    // An alias' CAA is that of the name that it leads to, a delegated zone's is at other servers.
    if (sets.some(({ type }) => type === undefined || type === "CNAME" || type === "NS")) return undefined;
    const above = sets.length === 0 && names.get(`*.${at.slice(at.indexOf(".") + 1)}`);
    if (above && above.some(({ type }) => type !== "A" && type !== "AAAA")) return undefined;
  }
  return undefined;
}
