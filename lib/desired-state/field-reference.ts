/**
 * The fields of the desired state, as its schema tells of them, and states that are made of their
 * examples.
 */
import { z } from "zod";

import { metadataOf, partsOf, type Part, placesOf, type Step, unwrap } from "../zod-metadata.ts";
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

/** Every field, in the schema's order. @throws Error for one that says nothing about itself */
export function allFields(): Field[] {
  return placesOf(settingsSchema)
    .filter(({ schema, steps }) => steps.at(-1)?.kind === "key" && !partsOf(schema).some(isGoneInto))
    .map(({ schema, steps }) => {
      const path = steps.map(written).join("").slice(1);
      const variant = steps.findLast((step) => step.kind === "variant");
      const shapes = variant && {
        shape: variant.name,
        otherShape: variant.names.find((name) => name !== variant.name),
      };
      return { keys: steps.flatMap(keyOf), ...shapes, path, ...said(schema, path) };
    });
}

/** A list of single values is a field itself. */
const isGoneInto = ({ step, schema }: Part) =>
  step.kind !== "entry" || partsOf(schema).some(({ step: own }) => own.kind === "key");

const keyOf = (step: Step): string | number | [] =>
  step.kind === "key" ? step.name : step.kind === "entry" ? 0 : [];

const written = (step: Step): string =>
  step.kind === "key" ? `.${step.name}` : step.kind === "entry" ? "[]" : `(${step.name})`;

/** What a field's schema says about it. */
function said(schema: z.ZodType, path: string): Omit<Field, "keys" | "shape" | "otherShape" | "path"> {
  const inner = unwrap(schema);
  const literal = inner instanceof z.ZodLiteral ? [inner.value] : undefined;
  const meta = metadataOf(schema);
  const { description = literal && "Which one it is.", accepts = literal?.join(), examples = literal } = meta;
  if (!description || !accepts || !examples || (!literal && examples.length < 2))
    throw new Error(`lib/desired-state: ${path} lacks a description, what it accepts, or two examples`);
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
 * @param shape which shape a part has that has several. Default: the first
 */
export function fullState(shape?: string): Json {
  return exampleOf(settingsSchema, shape) as Json;
}

function exampleOf(schema: z.ZodType, shape: string | undefined): unknown {
  const parts = partsOf(schema).filter(isGoneInto);
  const [first] = parts;
  if (first?.step.kind === "entry") return [exampleOf(first.schema, shape)];
  const own = parts.find(({ step }) => step.kind === "variant" && step.name === shape) ?? first;
  if (own?.step.kind === "variant") return exampleOf(own.schema, shape);
  if (first)
    return Object.fromEntries(parts.map(({ step, schema: part }) => [keyOf(step), exampleOf(part, shape)]));
  const inner = unwrap(schema);
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
