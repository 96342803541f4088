import { isRecord } from "../../../lib/json-values.ts";
import { formatPath } from "../../framework/values.ts";
import type { At } from "../located.ts";
import { UNKNOWN, urnOf, type Place, type Source } from "../resource.ts";
import { UnreadableInput } from "../yaml.ts";
import { flatToml } from "./toml.ts";

const SETTINGS = "tailwart:mail:Settings";
const REGISTRY = "tailwart:mail:Registry";

/** Whether a text is a config file of Stalwart's, and no other program's TOML. */
export function isStalwartToml(text: string): boolean {
  return (
    /^[ \t]*\[{0,2}(?:server\.(?:listener|hostname)|store\.|storage\b|queue\.(?:route|strategy|outbound)|authentication\.fallback-admin|directory\.|acme\.)/m.test(
      text,
    ) &&
    /stalwart|server\.listener|\[server\]|queue\.(?:route|strategy)|fallback-admin|\[storage\]/i.test(text)
  );
}

/** Whether a text is a plan of stalwart-cli's: a line of JSON for each object. */
export const isPlan = (text: string): boolean =>
  /^[ \t]*\{[^\n]*"object"\s*:/m.test(text) && /"@type"\s*:/.test(text);

/**
 * A config file as the settings of a server. What is not in the file may be in the server's
 * database, so a setting that is missing here is not known to be missing.
 *
 * @throws UnreadableInput with the line
 */
export function settingsOf(text: string, file: string): Source {
  const { values, lines } = flatToml(text, file);
  const fileSettings = Object.fromEntries(values);
  const at: Place = { file, line: 1, shown: file };
  const because = "what is not in the file is in the server's database, which is not read here";
  const places = new Map<string, Place>([
    ["settings", { ...at, shown: "settings", unknownBecause: because }],
  ]);
  for (const key of values.keys())
    places.set(formatPath(["fileSettings", key]), { file, line: lines.get(key) ?? 1, shown: key });
  const whole = { fileSettings, settings: {} };
  // Who writes the strategy into the file has all of it there.
  const hasStrategy = [...values.keys()].some((key) => key.startsWith("queue.strategy.route"));
  return {
    type: SETTINGS,
    name: file,
    urn: urnOf("files", SETTINGS, file),
    inputs: { fileSettings, settings: UNKNOWN },
    ...(hasStrategy && { forPolicy: { "relay-route-exists": whole, "no-direct-smtp-egress": whole } }),
    protect: true,
    at,
    places,
  };
}

/**
 * A plan as the registry that it leads to. Later lines take the place of earlier ones.
 *
 * @throws UnreadableInput with the line
 */
export function registryOf(text: string, file: string): Source {
  const objects: Record<string, unknown> = {};
  const places = new Map<string, Place>();
  for (const [index, row] of text.split("\n").entries()) {
    if (row.trim() === "" || row.startsWith("#")) continue;
    const line = index + 1;
    for (const [key, value] of objectsIn(row, { file, line })) {
      objects[key] = { ...(isRecord(objects[key]) ? objects[key] : {}), ...value };
      places.set(formatPath(["objects", key]), { file, line, shown: key });
    }
  }
  return {
    type: REGISTRY,
    name: file,
    urn: urnOf("files", REGISTRY, file),
    // The rules know relays by the args of components, which are called so.
    inputs: { objects, routes: relaysIn(objects, places) },
    protect: true,
    at: { file, line: 1, shown: file },
    places,
  };
}

function relaysIn(objects: Readonly<Record<string, unknown>>, places: Map<string, Place>): object {
  const relays = Object.entries(objects).flatMap(([key, row]) => {
    const [, name] = /^MtaRoute\/(.+)$/.exec(key) ?? [];
    if (name === undefined || !isRecord(row) || row["@type"] !== "Relay") return [];
    const place = places.get(formatPath(["objects", key]));
    if (place) places.set(formatPath(["routes", name]), place);
    return [[name, { address: row["address"], port: row["port"] ?? 25 }] as const];
  });
  return Object.fromEntries(relays);
}

/**
 * What one operation makes of its objects; a singleton has no name.
 *
 * @see https://stalw.art/docs/management/cli/plan-format/
 */
function objectsIn(row: string, at: At): [key: string, value: Record<string, unknown>][] {
  let operation: unknown;
  try {
    operation = JSON.parse(row);
  } catch {
    // The parser's own words quote the line, which may hold a secret.
    throw new UnreadableInput(at, "no line of JSON");
  }
  if (!isRecord(operation)) throw new UnreadableInput(at, "holds no object");
  const { "@type": kind, object, value, id } = operation;
  if (typeof object !== "string" || !isRecord(value)) return [];
  const name = object.replace(/^x:/, "");
  if (kind === "update")
    return [[typeof id === "string" && id !== "singleton" ? `${name}/${id}` : name, value]];
  if (kind !== "create" && kind !== "upsert") return [];
  return Object.entries(value).flatMap(([label, inner]) =>
    isRecord(inner) ? [[`${name}/${label}`, inner] as [string, Record<string, unknown>]] : [],
  );
}
