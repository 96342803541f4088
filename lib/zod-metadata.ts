import { z } from "zod";

/** What a key's schema tells about itself, for errors and for CONFIG.md. */
export interface Metadata {
  description?: string;
  accepts?: string;
  examples?: unknown[];
}

/** A step into a schema: to a map's key, a list's entry, or one of the maps that a union may be. */
export type Step =
  | { kind: "key"; name: string }
  | { kind: "entry" }
  /** `name` is what the key `tag` has in this variant, `names` what it may have in all of them. */
  | { kind: "variant"; name: string; tag: string; names: string[] };

/** A schema that is one step below another. */
export interface Part {
  step: Step;
  schema: z.ZodType;
}

/** The schema inside of `.default()`, `.prefault()` and `.optional()`. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const inner = innerOf(schema);
  return inner === undefined ? schema : unwrap(inner);
}

/** What is one step below a schema: nothing where it is a single value. */
export function partsOf(schema: z.ZodType): Part[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).map(([name, value]) => ({
      step: { kind: "key", name },
      schema: value,
    }));
  if (inner instanceof z.ZodArray) return [{ step: { kind: "entry" }, schema: inner.element as z.ZodType }];
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return [];
  const tag = inner.def.discriminator;
  const variants = inner.options as z.ZodObject[];
  const names = variants.map(({ shape }) => String((shape[tag] as z.ZodLiteral).value));
  return variants.map((variant, i) => ({
    step: { kind: "variant", name: names[i] ?? "", tag, names },
    schema: variant,
  }));
}

/** What is one step below a schema for a value: of a union, the parts of what the value names. */
export function partsFor(schema: z.ZodType, value: unknown): Part[] {
  const parts = partsOf(schema);
  const map = value as Record<string, unknown> | undefined;
  const named = parts.find(({ step }) => step.kind === "variant" && step.name === map?.[step.tag]);
  return named ? partsOf(named.schema) : parts;
}

/** A schema and all that is below it, each before its parts, in the schema's own order. */
export function placesOf(schema: z.ZodType, steps: Step[] = []): { steps: Step[]; schema: z.ZodType }[] {
  const below = partsOf(schema).flatMap((part) => placesOf(part.schema, [...steps, part.step]));
  return [{ steps, schema }, ...below];
}

/**
 * A schema's metadata with that of what it wraps: zod's `.default()` starts with none of its own.
 */
export function metadataOf(schema: z.ZodType): Metadata {
  const inner = innerOf(schema);
  return { ...(inner && metadataOf(inner)), ...(schema.meta() as Metadata | undefined) };
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  return (schema.def as { innerType?: z.ZodType }).innerType;
}
