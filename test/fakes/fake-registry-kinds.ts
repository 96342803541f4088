/** How the fake of Stalwart's registry describes its objects. */

/**
 * Kind of a property. `set` and `list` hold one of the other kinds; `secret` is a variant that a
 * server masks when it holds a value.
 */
export type Kind =
  | "string"
  | "boolean"
  | "number"
  | "secret"
  | "expression"
  | "rate"
  /** A map of strings. */
  | "strings"
  | { readonly enum: readonly string[] }
  | { readonly set: "string" | readonly string[]; readonly min?: number }
  | /** A part with variants of its own, by `@type`. */
    { readonly variants: Variants }
    /** A list of such parts: keys from "0" on. */
  | { readonly listOf: Variants }
  /** A map of numbers, by some of these names. */
  | { readonly mapOf: readonly string[] }
  /** Another object's row. */
  | { readonly id: string }
  /** A set of another object's rows, of one variant. */
  | { readonly idsOf: string; readonly type: string };

/** `@type` → its properties. */
export type Variants = Readonly<Record<string, Readonly<Record<string, FakeProperty>>>>;

export interface FakeProperty {
  readonly kind: Kind;
  readonly immutable?: true;
  readonly serverSet?: true;
  readonly nullable?: true;
  readonly required?: true;
}

export interface FakeObject {
  readonly singleton?: true;
  /** Variant by `@type` → its properties; "" where the object has no variants. */
  readonly variants: Variants;
  /** What a row holds that was not told otherwise. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** The same by variant, for a row that becomes another one. */
  readonly variantDefaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /**
   * What a mail server stores at its start of a singleton that is not stored
   * (common/src/manager/defaults.rs).
   */
  readonly atFirstStart?: Readonly<Record<string, unknown>>;
  /** Rows are told apart by it. */
  readonly primaryKey?: string;
}

export const of = (kind: Kind): FakeProperty => ({ kind });
export const nullable = (kind: Kind): FakeProperty => ({ kind, nullable: true });
export const name: FakeProperty = { kind: "string", immutable: true, required: true };
export const oneOf = (...values: string[]): Kind => ({ enum: values });
export const text: FakeProperty = { kind: "string", required: true };
export const secret: FakeProperty = { kind: "secret", required: true };
