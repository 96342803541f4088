/**
 * What the fake of Stalwart's registry accepts for its objects' properties; everything else it
 * refuses, as the real one does.
 */
import type { FakeObject, FakeProperty, Kind, Variants } from "./fake-registry-kinds.ts";

type Json = Record<string, unknown>;

/** Why a create or an update is refused. */
export type SetError = {
  type: string;
  properties?: string[];
  description?: string;
  validationErrors?: Json[];
};

/** Whether an object has a row of this id, and of this variant where one is said. */
export type HasRow = (object: string, id: string, type?: string) => boolean;

export function checkChange(object: FakeObject, row: Json, changes: Json, has: HasRow): SetError | undefined {
  const type = String(changes["@type"] ?? row["@type"] ?? "");
  const known = object.variants[type] ?? {};
  const fixed = Object.keys(changes).find((key) => known[key]?.immutable && changes[key] !== row[key]);
  if (fixed)
    return { type: "invalidPatch", properties: [fixed], description: "Cannot modify read-only property" };
  const same = type === String(row["@type"] ?? "");
  return checkProperties(object, { ...changes, ...(type ? { "@type": type } : {}) }, type, has, same);
}

export function checkProperties(
  object: FakeObject,
  value: Json,
  type: string,
  has: HasRow,
  partial = false,
): SetError | undefined {
  const known = object.variants[type];
  if (!known) return { type: "invalidProperties", properties: ["@type"] };
  for (const [key, inner] of Object.entries(value)) {
    if (key === "@type") continue;
    const property = known[key];
    if (!property) return { type: "invalidProperties", properties: [key], description: "unknown property" };
    if (property.serverSet) return { type: "invalidPatch", properties: [key] };
    const problem = checkValue(property, inner, has);
    if (problem) return { type: problem.type, properties: [key], description: problem.description };
  }
  return partial ? undefined : checkRequired(object, { "@type": type, ...value });
}

/**
 * What a whole row lacks: neither nullable nor defaulted, so it has to be given (seen on 0.16.18).
 */
export function checkRequired(object: FakeObject, row: Json): SetError | undefined {
  const known = object.variants[String(row["@type"] ?? "")] ?? {};
  const missing = Object.keys(known).filter((key) => known[key]?.required && !row[key]);
  if (missing.length === 0) return undefined;
  const validationErrors = missing.map((property) => ({ type: "Required", property }));
  return { type: "validationFailed", validationErrors };
}

const wrong = (description: string, type = "invalidPatch") => ({ type, description });

function checkValue(
  { kind, nullable }: FakeProperty,
  value: unknown,
  has: HasRow,
): { type: string; description: string } | undefined {
  if (Array.isArray(value)) return wrong("an array, where an object is accepted");
  if (value === null) return nullable ? undefined : wrong("null");
  if (typeof kind === "object" && "id" in kind)
    return typeof value === "string" && has(kind.id, value) ? undefined : wrong(kind.id, "invalidForeignKey");
  if (typeof kind === "object" && "idsOf" in kind)
    return isMap(value) &&
      Object.entries(value).every(([id, on]) => on === true && has(kind.idsOf, id, kind.type))
      ? undefined
      : wrong(kind.idsOf, "invalidForeignKey");
  if (typeof kind === "object" && "variants" in kind) return checkPart(kind.variants, value, has);
  if (typeof kind === "object" && "listOf" in kind) {
    if (!isNumbered(value)) return wrong("a value of another type");
    return Object.values(value as Json)
      .map((part) => checkPart(kind.listOf, part, has))
      .find((problem) => problem !== undefined);
  }
  return fits(kind, value) ? undefined : wrong("a value of another type");
}

/** A part of a row that has variants of its own. */
function checkPart(variants: Variants, value: unknown, has: HasRow) {
  if (!isMap(value)) return wrong("a value of another type");
  const { "@type": type, ...properties } = value;
  const known = variants[type === undefined ? "" : String(type)];
  if (!known) return wrong("a variant of another name");
  for (const [key, inner] of Object.entries(properties)) {
    const property = known[key];
    const problem = property ? checkValue(property, inner, has) : wrong("unknown property");
    if (problem) return wrong(`${key}: ${problem.description}`, problem.type);
  }
  const missing = Object.keys(known).find((key) => known[key]?.required && !(key in properties));
  return missing === undefined ? undefined : wrong(`${missing} is required`, "validationFailed");
}

const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fits(kind: Kind, value: unknown): boolean {
  if (kind === "string" || kind === "boolean" || kind === "number") return typeof value === kind;
  if (!isMap(value)) return typeof kind === "object" && "enum" in kind && kind.enum.includes(String(value));
  if (kind === "secret") {
    const { "@type": type, ...rest } = value;
    const accepted = { File: "filePath", EnvironmentVariable: "variableName", Value: "secret", None: "" };
    const property = accepted[type as keyof typeof accepted];
    return property !== undefined && Object.keys(rest).every((key) => key === property);
  }
  if (kind === "strings") return Object.values(value).every((inner) => typeof inner === "string");
  if (kind === "rate") return typeof value["count"] === "number" && typeof value["period"] === "number";
  if (kind === "expression") return typeof value["else"] === "string" && isNumbered(value["match"]);
  if ("mapOf" in kind)
    return Object.entries(value).every(
      ([key, inner]) => kind.mapOf.includes(key) && typeof inner === "number",
    );
  if (!("set" in kind)) return false;
  const members = Object.entries(value);
  return (
    members.length >= (kind.min ?? 0) &&
    members.every(([member, on]) => on === true && (kind.set === "string" || kind.set.includes(member)))
  );
}

/** A list: keys from "0" on. */
function isNumbered(value: unknown): boolean {
  return isMap(value) && Object.keys(value).every((key, i) => key === String(i));
}
