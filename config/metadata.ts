import type { z } from "zod";

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

/** A schema's metadata with that of what it wraps: zod's `.default()` starts with none of its own. */
export function metadataOf(schema: z.ZodType): Metadata {
  const inner = innerOf(schema);
  return { ...(inner && metadataOf(inner)), ...(schema.meta() as Metadata | undefined) };
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  return (schema.def as { innerType?: z.ZodType }).innerType;
}
