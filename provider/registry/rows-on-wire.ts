/** Rows of which each domain has its own: they cross the engine as a text each. */
import { isRecord, type Json, parsedRecord } from "../../lib/json-values.ts";
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import { objectOf } from "./plan.ts";

const OF_DOMAINS = new Set(["Domain", "DkimSignature"]);

const onObjects = (properties: Json, change: (row: unknown, key: string) => unknown): Json => {
  const { objects } = properties;
  if (!isRecord(objects)) return properties;
  const changed = Object.entries(objects).map(([key, row]) => [key, change(row, key)]);
  return { ...properties, objects: Object.fromEntries(changed) };
};

const textOf = (row: unknown, key: string): unknown =>
  OF_DOMAINS.has(objectOf(key)) && isRecord(row) ? JSON.stringify(row, null, 1) : row;

/** The program's side of `registryWire`. */
export const rowsOnWire = (objects: RegistryObjects): Record<string, unknown> =>
  Object.fromEntries(Object.entries(objects).map(([key, row]) => [key, textOf(row, key)]));

export const registryWire = {
  from: (properties: Json): Json =>
    onObjects(properties, (row) => (typeof row === "string" ? (parsedRecord(row) ?? row) : row)),
  to: (properties: Json): Json => onObjects(properties, textOf),
};
