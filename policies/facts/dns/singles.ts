/** TXT records of which a name has one: a second one is as bad as none, or worse (lesson 18). */
import { refuse } from "../../framework/judgement.ts";
import type { Judgement } from "../../framework/policy.ts";
import { ofType, type RecordSet, type RecordValue } from "./records.ts";
import type { OwnedSet } from "./zones.ts";

/** A kind of TXT record of which a name has one. */
export interface Single {
  readonly what: string;
  readonly is: (text: string) => boolean;
  /** Whether a name, relative or not, is one at which it counts. */
  readonly at: (name: string) => boolean;
  readonly instead: string;
}

/** The values of one kind; a value that is written twice is one record. */
export function valuesOf(set: RecordSet, { is, at }: Single): RecordValue[] {
  if (!ofType(set, "TXT") || !at(set.name ?? "")) return [];
  const seen = new Set<string>();
  return set.values.filter(({ text }) => is(text) && !seen.has(text) && seen.add(text));
}

/** Within one set. */
export function twiceInSet(set: RecordSet, single: Single): Judgement {
  const [first, ...more] = valuesOf(set, single);
  return refuse(
    ...more.map(({ where }) => ({
      where,
      what: `is one more ${single.what} record of ${set.name ?? "the name"}, beside ${first?.where}`,
      instead: single.instead,
    })),
  );
}

/** Where a set is: its zone and name, and which of the answers that the name has. */
const placeOf = ({ zone, owner, variant }: OwnedSet): string => [zone.key, owner, variant].join(" ");

/** In several sets of one name. */
export function twiceInStack(sets: readonly OwnedSet[], single: Single): Judgement {
  const held = sets.flatMap((set) => {
    const [value] = valuesOf(set, single);
    return value ? [{ set, value }] : [];
  });
  const unnamed = held.filter(({ set }) => set.owner === undefined);
  const named = Map.groupBy(
    held.filter(({ set }) => set.owner !== undefined),
    ({ set }) => placeOf(set),
  );
  const twice = [...named.values()].flatMap(([first, ...more]) =>
    more
      .filter(({ value }) => value.text !== first?.value.text)
      .map(({ set, value }) => ({
        where: value.where,
        what: `is one more ${single.what} record of ${set.name}, beside that of ${first?.set.resource.name} (${first?.value.where})`,
        instead: single.instead,
        urn: set.resource.urn,
      })),
  );
  const open = [
    ...(held.length > 1
      ? unnamed.map(({ set }) => ({
          set,
          because: "may be that of another one of the stack: it is unknown until the update",
        }))
      : []),
    ...mayBeOne(held.map(({ set }) => set)),
  ].map(({ set, because }) => ({ where: "name", because, urn: set.resource.urn }));
  return { findings: twice, notJudged: open };
}

/**
 * In a zone whose name is not known a relative name may be the same as a whole one: `_dmarc` as
 * `_dmarc.example.org`, and `@` as the name in which all whole ones end.
 */
function mayBeOne(held: readonly OwnedSet[]): { set: OwnedSet; because: string }[] {
  const inZone = Map.groupBy(
    held.filter(({ zone, owner }) => zone.name === undefined && owner !== undefined),
    ({ zone }) => zone.key,
  );
  return [...inZone.values()].flatMap((all) => {
    const relative = new Map(all.filter(({ whole }) => !whole).map((set) => [set.owner, set]));
    const whole = all.filter((set) => set.whole);
    const [shortest = ""] = whole.map(({ owner = "" }) => owner).toSorted((a, b) => a.length - b.length);
    const isApex = whole.every(({ owner }) => `.${owner}`.endsWith(`.${shortest}`));
    return whole.flatMap((set) => {
      const label = set.owner?.split(".")[0];
      const same = relative.get(isApex && set.owner === shortest ? "@" : label) ?? relative.get(label);
      if (!same) return [];
      const because = `may be the same as that of ${same.resource.name}: the stack does not tell the zone's name`;
      return [{ set, because }];
    });
  });
}
