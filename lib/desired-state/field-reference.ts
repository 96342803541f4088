/**
 * The fields of the desired state, as its schema tells of them, and states that are made of their
 * examples.
 */
import { z } from "zod";

import { metadataOf, unwrap } from "../zod-metadata.ts";
import { settingsSchema } from "./schema.ts";

/** One field of the desired state. */
export interface Field {
  /** Where it is in a state, lists by their first entry. @example ["relays", 0, "port"] */
  keys: Keys;
  /** Which shape a part that it is in has, where there are several. */
  shape?: string | undefined;
  /** Another shape of that part. */
  otherShape?: string | undefined;
  /** As docs/settings.md has it. @example "relays[].auth.username", "dnsProvider(rfc2136).host" */
  path: string;
  description: string;
  accepts: string;
  /** As JSON; "required" or "none" where there is no value. */
  fallback: string;
  /** Two values that differ, or the only one that there is. */
  examples: readonly unknown[];
  /** Every value, where they are few. */
  options: readonly unknown[];
}

type Json = Record<string, unknown>;
type Keys = readonly (string | number)[];

/** The shapes of a part that says by its `type` which one it has. */
const shapesOf = (schema: z.ZodType): [type: string, schema: z.ZodObject][] =>
  schema instanceof z.ZodDiscriminatedUnion
    ? (schema.options as z.ZodObject[]).map((option) => [
        String((option.shape["type"] as z.ZodLiteral).value),
        option,
      ])
    : [];

const elementOf = (schema: z.ZodType): z.ZodObject | undefined => {
  const element = schema instanceof z.ZodArray ? unwrap(schema.element as z.ZodType) : undefined;
  return element instanceof z.ZodObject ? element : undefined;
};

/** Every field, in the schema's order. @throws Error for one that says nothing about itself */
export function allFields(): Field[] {
  return fieldsOf(settingsSchema, [], "");
}

function fieldsOf(
  schema: z.ZodType,
  keys: Keys,
  path: string,
  within: Pick<Field, "shape" | "otherShape"> = {},
): Field[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, value]) =>
      fieldsOf(value, [...keys, key], path === "" ? key : `${path}.${key}`, within),
    );
  const element = elementOf(inner);
  if (element) return fieldsOf(element, [...keys, 0], `${path}[]`, within);
  const shapes = shapesOf(inner);
  if (shapes.length === 0) return [{ keys, ...within, path, ...said(schema, path) }];
  return shapes.flatMap(([shape, own], i) =>
    fieldsOf(own, keys, `${path}(${shape})`, { shape, otherShape: shapes[i === 0 ? 1 : 0]?.[0] }),
  );
}

/** What a field's schema says about it. */
function said(schema: z.ZodType, path: string): Omit<Field, "keys" | "shape" | "otherShape" | "path"> {
  const inner = unwrap(schema);
  const literal = inner instanceof z.ZodLiteral ? [inner.value] : undefined;
  const meta = metadataOf(schema);
  const { description = literal && "Which one it is.", accepts = literal?.join(), examples = literal } = meta;
  if (!description || !accepts || !examples || (!literal && examples.length < 2))
    throw new Error(`lib/settings: ${path} lacks a description, what it accepts, or two examples`);
  const absent = schema.safeParse(undefined);
  const fallback = !absent.success
    ? "required"
    : absent.data === undefined
      ? "none"
      : JSON.stringify(absent.data);
  const options = inner instanceof z.ZodEnum ? inner.options : [];
  return { description, accepts, fallback, examples, options };
}

/** What the schema says about a key at the top of the state. */
export const topDescription = (key: string): string =>
  metadataOf((settingsSchema.shape as Record<string, z.ZodType>)[key] as z.ZodType).description ?? "";

/**
 * A state in which every field is written, with its first example.
 *
 * @param shape which shape a part has that has several
 */
export function fullState(shape = shapesOf(unwrap(settingsSchema.shape.dnsProvider))[0]?.[0]): Json {
  return exampleOf(settingsSchema, shape) as Json;
}

function exampleOf(schema: z.ZodType, shape: string | undefined): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject)
    return Object.fromEntries(
      Object.entries(inner.shape as Record<string, z.ZodType>).map(([key, value]) => [
        key,
        exampleOf(value, shape),
      ]),
    );
  const element = elementOf(inner);
  if (element) return [exampleOf(element, shape)];
  const own = shapesOf(inner).find(([type]) => type === shape);
  if (own) return exampleOf(own[1], shape);
  return inner instanceof z.ZodLiteral ? inner.value : metadataOf(schema).examples?.[0];
}

/** The state with another value at a place; without a value nothing is there. */
export function withValue(state: Json, keys: Keys, value: unknown): Json {
  const copy = structuredClone(state);
  let at = copy as Record<string | number, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = keys.at(-1) ?? "";
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
