import { type Change, partOf, type PropertyChange } from "../changes.ts";
import { holdsSecret, holdsUnknown } from "../format-value.ts";
import { propertiesThatDiffer } from "./properties.ts";
import type { PlannedResource, Snapshot } from "./snapshot.ts";

/** Resource type → the inputs for which it is replaced. */
export type Replacing = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * What becomes of the base's resources with the head's program, as if the base had been deployed:
 * each resource once, in the head's order, what is taken away last.
 *
 * @param replacing what the providers' own schemas say; of a type that is not in it, nobody knows
 *   whether it is replaced, and an update is told
 */
export function differenceOf(base: Snapshot, head: Snapshot, replacing: Replacing): Change[] {
  const changes = new Map<string, Change>();
  // A preview names a resource after those that it is made of, so that one pass is enough.
  for (const next of head.values()) {
    const old = base.get(next.urn);
    const properties = old === undefined ? [] : changesOf(old, next, changes, replacing);
    if (old !== undefined && properties.length === 0) continue;
    const replaced = properties.some(({ replaces }) => replaces);
    const op = old === undefined ? "create" : replaced ? "replace" : "update";
    changes.set(next.urn, changeOf(op, old, next, properties));
  }
  for (const old of base.values())
    if (!head.has(old.urn)) changes.set(old.urn, changeOf("delete", old, undefined, []));
  return [...changes.values()];
}

/** Packages whose schemas tell what a difference of these costs. */
export function pluginsOf(base: Snapshot, head: Snapshot): string[] {
  const kept = [...head.values()].filter(({ urn }) => base.has(urn));
  return [...new Set(kept.flatMap(({ plugin }) => (plugin === undefined ? [] : [plugin])))];
}

function changesOf(
  old: PlannedResource,
  next: PlannedResource,
  changes: ReadonlyMap<string, Change>,
  replacing: Replacing,
): PropertyChange[] {
  const forcing = replacing.get(next.type);
  const replaces = (path: string) => forcing?.has(/^[^.[]+/.exec(path)?.[0] ?? "") ?? false;
  const own = propertiesThatDiffer(old.inputs, next.inputs).map((each): PropertyChange => ({
    ...each,
    replaces: replaces(each.path),
  }));
  // What is made of a resource that is replaced, and is not known before, will be another.
  const following = Object.entries(next.madeOf).flatMap(([name, sources]): PropertyChange[] => {
    const value = next.inputs[name];
    const source = sources.find((urn) => changes.get(urn)?.op === "replace");
    const known = !holdsUnknown(value) && !holdsSecret(value);
    if (source === undefined || known || own.some(({ path }) => path.startsWith(name))) return [];
    return [{ path: name, follows: source, replaces: replaces(name) }];
  });
  return [...own, ...following];
}

function changeOf(
  op: string,
  old: PlannedResource | undefined,
  next: PlannedResource | undefined,
  properties: readonly PropertyChange[],
): Change {
  const { urn, type } = (next ?? old) as PlannedResource;
  const step = {
    op,
    urn,
    type,
    ...(old && { old: { inputs: old.inputs } }),
    ...(next && { new: { inputs: next.inputs } }),
  };
  const part = partOf(step);
  return { op, urn, type, properties, ...(part && { part }) };
}
