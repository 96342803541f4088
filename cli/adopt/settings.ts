/**
 * Hand edits of Stalwart's settings, taken into the stack's config: what a refresh shows and the
 * next `up` would put back. An edit has a place in the config or it has none; which of them were
 * taken is found out by working the new config through to the keys again, not by trust in the table
 * below.
 */
import { parseDocument } from "yaml";

import { NAMESPACE } from "../../config/key-path.ts";
import { stackFileConfig } from "../../config/stack-file.ts";
import { componentArgs } from "../../config/component-args.ts";
import { toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import { durationOf } from "../../lib/desired-state/registry/spelling.ts";

/**
 * Settings as one flat map, whatever the generation: a key, or `Object/label.property` of a row.
 */
export type Flat = Readonly<Record<string, string>>;

/** A key of the config whose value was edited on the server. */
export interface Taken {
  /** @example "tailwart:relay.host" */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface Adoption {
  /** The config file with the edits in it; its comments and its order are kept. */
  readonly text: string;
  readonly taken: readonly Taken[];
  /** Settings that differ still, since no key of the config holds them. */
  readonly left: readonly string[];
}

/**
 * Rows of a registry as {@link Flat}.
 * @example flatten({ "MtaRoute/smarthost": { port: 587 } }) // { "MtaRoute/smarthost.port": "587" }
 */
export function flatten(objects: Readonly<Record<string, unknown>>): Flat {
  const flat: Record<string, string> = {};
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) flat[path] = String(value);
    else for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  for (const [key, row] of Object.entries(objects)) visit(row, key);
  return flat;
}

const RELAY = ["queue.route.smarthost", "MtaRoute/smarthost"] as const;
const either = (flat: Flat, ...keys: string[]): string | undefined =>
  keys.map((key) => flat[key]).find((value) => value !== undefined);
const relay = (flat: Flat, ...names: [keyName: string, property: string]): string | undefined =>
  either(flat, `${RELAY[0]}.${names[0]}`, `${RELAY[1]}.${names[1]}`);
const numeric = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

/**
 * A time in whole units of the config, from what the 0.15 line or the registry calls it. What is no
 * whole number of them is none.
 */
function timeIn(
  unit: "s" | "d",
  key: string | undefined,
  milliseconds: string | undefined,
): number | undefined {
  const ofKey = (text: string) => (/^\d+[smhd]$/.test(text) ? durationOf(text) : Number.NaN);
  const total = key === undefined ? Number(milliseconds) : ofKey(key);
  const count = total / durationOf(`1${unit}`);
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

/**
 * Where in the config a setting of the server comes from: its place, and its value as the config
 * spells it.
 */
const PLACES: readonly { path: readonly string[]; value: (flat: Flat) => unknown }[] = [
  { path: ["relay", "host"], value: (flat) => relay(flat, "address", "address") },
  { path: ["relay", "port"], value: (flat) => numeric(relay(flat, "port", "port")) },
  {
    path: ["relay", "tls"],
    value: (flat) => {
      if (relay(flat, "tls.implicit", "implicitTls") === "true") return "implicit";
      return relay(flat, "tls.allow-invalid-certs", "allowInvalidCerts") === "true" ? "tailnet" : "starttls";
    },
  },
  {
    path: ["settings", "connectTimeout"],
    value: (flat) =>
      timeIn(
        "s",
        either(flat, "queue.connection.default.timeout.connect"),
        flat["MtaConnectionStrategy/default.connectTimeout"],
      ),
  },
  { path: ["settings", "logLevel"], value: (flat) => flat["Tracer/Stdout.level"] },
  {
    path: ["settings", "mtaSts", "mode"],
    value: (flat) => either(flat, "session.mta-sts.mode", "MtaSts.mode"),
  },
  {
    path: ["settings", "mtaSts", "maxAge"],
    value: (flat) => timeIn("d", flat["session.mta-sts.max-age"], flat["MtaSts.maxAge"]),
  },
];

/**
 * Takes the edits into the config.
 *
 * @param text the stack's config file
 * @param live what the server has of the declared settings, and strangers among what the deploy
 *   owns
 * @throws UserError in the words of loadConfig where the config would be refused with an edit in
 *   it, such as a relay by its address
 */
export function adoptSettings(text: string, live: Flat): Adoption {
  const document = parseDocument(text);
  const before = declared(document.toJS());
  const taken: Taken[] = [];
  for (const { path, value } of PLACES) {
    const [from, to] = [value(before), value(live)];
    if (from === to || to === undefined) continue;
    const [key = "", ...rest] = path;
    document.setIn(["config", `${NAMESPACE}:${key}`, ...rest], to);
    taken.push({ path: `${NAMESPACE}:${path.join(".")}`, from, to });
  }
  const after = declared(document.toJS());
  const keys = new Set([...Object.keys(after), ...Object.keys(live)]);
  const left = [...keys].filter((key) => after[key] !== live[key]).sort();
  return { text: taken.length > 0 ? document.toString({ lineWidth: 0 }) : text, taken, left };
}

/**
 * The settings that a config file declares. Its secrets are closed, and none of them is part of a
 * setting.
 */
function declared({ config }: { config: Record<string, unknown> }): Flat {
  const plan = componentArgs(stackFileConfig(config));
  return plan.generation === "registry"
    ? flatten(toRegistryObjects(plan.settings))
    : toSettingKeys(plan.settings);
}
