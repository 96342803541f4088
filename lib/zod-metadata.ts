import { z } from "zod";

/** What a key's schema tells about itself, for errors and for CONFIG.md. */
export interface Metadata {
  description?: string;
  accepts?: string;
  examples?: unknown[];
}

/** The schema inside of `.default()`, `.prefault()` and `.optional()`. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const inner = innerOf(schema);
  return inner === undefined ? schema : unwrap(inner);
}

/** The schema inside that holds for a value: of a union the variant that the value's type names. */
export function variantOf(schema: z.ZodType, value: unknown): z.ZodType {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return inner;
  const { discriminator } = inner.def;
  const named = (value as Record<string, unknown> | undefined)?.[discriminator];
  return variantsOf(inner).find(({ shape }) => shape[discriminator]?.safeParse(named).success) ?? inner;
}

/** The maps that a union is one of. */
export function variantsOf(union: z.ZodDiscriminatedUnion): z.ZodObject<Record<string, z.ZodType>>[] {
  return union.options as z.ZodObject<Record<string, z.ZodType>>[];
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
