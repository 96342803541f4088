/**
 * Which generation of Stalwart's settings carries a field, and where: found out by translating two
 * states that differ in that field alone, and looking where a difference appears. Nothing here is
 * said by hand, so nothing here can be wrong for long.
 */
import { renderConfigJson } from "../stalwart/config-json.ts";
import { entrypointEnvironment } from "../stalwart/files.ts";
import type { Generation } from "../stalwart/release.ts";
import { allFields, type Field, fullState, withValue } from "./field-reference.ts";
import { type Refusal, refusalsFor } from "./unsupported.ts";
import { toFileKeys, toSettingKeys } from "./keys/keys.ts";
import { toPrincipals } from "./keys/principals.ts";
import { toRegistryObjects } from "./registry/objects.ts";
import { settingsSchema, type StalwartSettings } from "./schema.ts";

type Json = Record<string, unknown>;

/** Where a field goes. */
export type Place = "API" | "config file" | "environment";

/** What becomes of a field in one generation. */
export interface Cell {
  /** Where it goes, most telling first; empty for what is refused, only checked, or not kept. */
  places: Place[];
  /**
   * `refused`: the field as a whole. `checked`: it decides what other fields may be. `not kept`:
   * the server has no place for it.
   */
  otherwise?: "refused" | "checked" | "not kept";
  /** Why it is refused, in the words that the user gets. */
  why?: string;
  /** Values that are refused, where others are taken. */
  except: { value: unknown; why: string }[];
}

export interface MatrixRow extends Field {
  cells: Readonly<Record<Generation, Cell>>;
}

/** Every field of the desired state with what becomes of it in either generation. */
export function settingsMatrix(): MatrixRow[] {
  return allFields().map((field) => ({
    ...field,
    cells: { keys: cellOf("keys", field), registry: cellOf("registry", field) },
  }));
}

/** What leaves tailwart for a server of the generation. */
function translated(generation: Generation, settings: StalwartSettings): Record<Place, unknown> {
  const nameless = <T extends { name: string }>(list: T[]) => list.map(({ name: _, ...rest }) => rest);
  const [accounts, groups] = [nameless(settings.accounts), nameless(settings.groups)];
  return generation === "keys"
    ? {
        API: { ...toSettingKeys(settings), ...toPrincipals(settings) },
        "config file": toFileKeys(settings),
        environment: entrypointEnvironment(settings),
      }
    : {
        API: { ...toRegistryObjects(settings), accounts, groups },
        "config file": renderConfigJson(settings),
        environment: entrypointEnvironment(settings, { generation }),
      };
}

function cellOf(generation: Generation, field: Field): Cell {
  const whole = baseState(generation, field);
  const fits = (state: Json) =>
    field.examples.every((value) => settingsSchema.safeParse(withValue(state, field.keys, value)).success);
  const base = [whole, { ...whole, groups: [] }].find(fits) ?? withoutAddresses(whole);
  const judged = (state: Json): { settings?: StalwartSettings; why?: string | undefined } => {
    const parsed = settingsSchema.safeParse(state);
    if (!parsed.success) return {};
    const refusals = refusalsFor(generation, parsed.data);
    const refusal = refusals.find(({ path }) => concerns(path, field));
    return refusal ? { why: refusal.message } : { settings: settingsSchema.parse(without(refusals, state)) };
  };
  const written = (value: unknown) => judged(withValue(base, field.keys, value));
  const first = written(field.examples[0]);
  const second = field.examples.length > 1 ? written(field.examples[1]) : judged(withoutPart(base, field));
  const why = first.why ?? second.why;
  if (why !== undefined) return { places: [], otherwise: "refused", why, except: [] };
  if (!first.settings) throw new Error(`lib/desired-state: the first example of ${field.path} is not taken`);
  if (!second.settings) return { places: [], otherwise: "checked", except: [] };
  const a = translated(generation, first.settings);
  // Both values may come to the same, where none at all does not.
  const absent = field.fallback === "none" && judged(withValue(base, field.keys, undefined)).settings;
  const others = [second.settings, ...(absent ? [absent] : [])].map((each) => translated(generation, each));
  const places = (Object.keys(a) as Place[]).filter((place) =>
    others.some((other) => JSON.stringify(a[place]) !== JSON.stringify(other[place])),
  );
  const except = field.options.flatMap((value) => {
    const { why: refused } = written(value);
    return refused === undefined ? [] : [{ value, why: refused }];
  });
  return places.length > 0 ? { places, except } : { places, otherwise: "not kept", except };
}

/** A domain of another name would leave addresses and certificates' names that are in none. */
const withoutAddresses = ({ acme: _, ...state }: Json): Json =>
  withValue({ ...state, accounts: [], groups: [], lists: [] }, ["domains", 0, "catchAll"], undefined);

/**
 * What can have one value only is told from another shape of the part that it is in, or from that
 * part's absence.
 */
function withoutPart(state: Json, { keys, otherShape }: Field): Json {
  const part = keys.slice(0, -1);
  const other = otherShape === undefined ? undefined : fullState(otherShape)[String(part[0])];
  return withValue(state, part, other);
}

/** Whether a refusal is of the field, of a part that it is in, or of something in it. */
function concerns(path: readonly (string | number)[], { keys, shape }: Field): boolean {
  const refused = shape !== undefined && path.at(-1) === "type" ? path.slice(0, -1) : path;
  return refused.every((key, i) => i >= keys.length || key === keys[i]);
}

/** A state with as much in it as the generation takes, and what concerns the field in any case. */
function baseState(generation: Generation, field: Field): Json {
  const full = fullState(field.shape);
  // A second member for groups.
  full["accounts"] = [...(full["accounts"] as Json[]), { name: "carol", emails: ["carol@example.org"] }];
  const refusals = refusalsFor(generation, settingsSchema.parse(full));
  return without(
    refusals.filter(({ path }) => !concerns(path, field)),
    full,
  );
}

const without = (refusals: readonly Refusal[], state: Json): Json =>
  refusals.reduce((rest, { path }) => withValue(rest, path, undefined), state);
