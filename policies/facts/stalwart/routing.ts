import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt, type MaybeKnown, type Path } from "../../framework/values.ts";
import { MAIL_SETTINGS, SETTINGS } from "../own-resources.ts";
import { holdsFor, resultOf, type Holds, type Result } from "./expression.ts";
import { stalwartKeys, type StalwartKeys } from "./flat-keys.ts";

const STRATEGY = "queue.strategy.route";

/** One branch of the strategy; the last one has no condition. */
export interface Rule {
  readonly where: string;
  /** "unknown" when the condition, or what it gives, is unknown at preview. */
  readonly holds: Holds | "unknown";
  /** As they are written; undefined where there is none, or it is unknown at preview. */
  readonly condition?: string | undefined;
  readonly value?: string | undefined;
  readonly result: Result | { readonly kind: "unknown" };
}

/** Which route mail takes. Where it is unset or broken Stalwart's own rule holds: local, or MX. */
export type Strategy =
  | { readonly kind: "rules"; readonly rules: readonly Rule[] }
  | { readonly kind: "unset"; readonly where: string }
  | { readonly kind: "broken"; readonly where: string; readonly because: string }
  | { readonly kind: "unknown"; readonly where: string };

export interface Outbound {
  readonly strategy: Strategy;
  /** What a name leads to. "missing" takes the MX (common/src/core.rs, get_route_or_default). */
  readonly leadsTo: (name: string) => "local" | "relay" | "mx" | "missing" | "unknown";
  /** How to declare a route here, and which there are, by key: a value could be a secret. */
  readonly declare: string;
}

const BUILT_IN: Readonly<Record<string, "local" | "mx">> = { local: "local", mx: "mx" };

/** Reads where mail goes; undefined where the resource does not say. */
export function outboundOf(resource: PolicyResource): Outbound | undefined {
  if (resource.type === MAIL_SETTINGS) return fromDesiredState(resource);
  // The registry's generation has no flat keys.
  if (resource.type !== SETTINGS || isAbsent(readAt(resource.props, ["settings"]))) return undefined;
  const keys = stalwartKeys(resource);
  const gap = keys.gaps.find(({ key }) => key === undefined);
  return {
    strategy: gap ? { kind: "unknown", where: gap.where } : ifBlockOf(keys, STRATEGY),
    leadsTo: (name) => routeOf(keys, name) ?? (gap ? "unknown" : "missing"),
    declare: `queue.route.<name>.type, and the name in quotes; declared are ${[...routeNames(keys), "'local', 'mx'"].join(", ")}`,
  };
}

function isAbsent(settings: MaybeKnown): boolean {
  return settings.known && (typeof settings.value !== "object" || settings.value === null);
}

function keyNames(keys: StalwartKeys): string[] {
  return [...keys.values.keys(), ...keys.gaps.flatMap(({ key }) => key ?? [])];
}

function routeNames(keys: StalwartKeys): string[] {
  const names = keyNames(keys).flatMap((key) => /^queue\.route\.(.+)\.type$/.exec(key)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !(name in BUILT_IN)).map((name) => `'${name}'`);
}

/** As parse_route (config/smtp/queue.rs): an unknown type, or a relay without address, is none. */
function routeOf(
  { values, gaps }: StalwartKeys,
  name: string,
): "local" | "relay" | "mx" | "unknown" | undefined {
  const id = `queue.route.${name}`;
  const isUnknown = (key: string): boolean => gaps.some((gap) => gap.key === key);
  if (isUnknown(`${id}.type`)) return "unknown";
  const type = values.get(`${id}.type`)?.trim();
  if (type === "local" || type === "mx") return type;
  if (type === "relay" && (values.has(`${id}.address`) || isUnknown(`${id}.address`))) return "relay";
  return BUILT_IN[name];
}

/** Reads an if-block as expr/if_block.rs does: a bare value, else rules by key, and `else` last. */
export function ifBlockOf(keys: StalwartKeys, prefix: string): Strategy {
  const valueOf = (key: string): string | undefined => keys.values.get(key);
  const resultAt = (key: string): Rule["result"] => {
    const value = valueOf(key);
    return value === undefined ? { kind: "unknown" } : resultOf(value);
  };
  const all = [...new Set(keyNames(keys))];
  if (all.includes(prefix)) {
    return {
      kind: "rules",
      rules: [
        { where: keys.where(prefix), holds: "always", result: resultAt(prefix), value: valueOf(prefix) },
      ],
    };
  }
  const parts = all.filter((key) => key.startsWith(`${prefix}.`)).sort();
  const [first] = parts;
  if (first === undefined) return { kind: "unset", where: keys.where(prefix) };
  const broken = (key: string, because: string): Strategy => ({
    kind: "broken",
    where: keys.where(key),
    because,
  });

  const rules: Rule[] = [];
  let open: { index: string; key: string } | undefined; // an `if` whose `then` has not come
  let otherwise: string | undefined;
  let index: string | undefined;
  for (const key of parts) {
    const [position = "", kind] = key.slice(prefix.length + 1).split(".");
    if (kind === undefined) return broken(key, "is no part of an if-block");
    if (kind === "if" && position !== index) {
      if (open) return broken(open.key, "has no `then`");
      open = { index: position, key };
      index = position;
    } else if (kind === "then" && open?.index === position) {
      if (otherwise !== undefined) return broken(key, "comes after the `else`");
      const condition = valueOf(open.key);
      rules.push({
        where: keys.where(key),
        holds: condition === undefined ? "unknown" : holdsFor(condition),
        result: resultAt(key),
        condition,
        value: valueOf(key),
      });
      open = undefined;
    } else if (kind === "then" && position !== index) return broken(key, "has no `if`");
    else if (kind === "else" && otherwise === undefined) {
      if (index === undefined) return broken(key, "comes before any `if`; write the value at the key itself");
      otherwise = key;
    } else if (kind === "else" && position !== otherwise?.slice(prefix.length + 1).split(".")[0])
      return broken(key, "is a second `else`");
  }
  if (open) return broken(open.key, "has no `then`");
  if (otherwise === undefined) return broken(first, "begins an if-block that has no `else`");
  const value = valueOf(otherwise);
  rules.push({ where: keys.where(otherwise), holds: "always", result: resultAt(otherwise), value });
  return { kind: "rules", rules };
}

/** The desired state: for any line it means "local domains stay, the rest takes outbound.route". */
function fromDesiredState({ props }: PolicyResource): Outbound | undefined {
  if (isAbsent(readAt(props, ["settings"]))) return undefined;
  const path: Path = ["settings", "outbound", "route"];
  const where = formatPath(path);
  const route = readAt(props, path);
  const name = route.known ? (route.value ?? "mx") : undefined;
  const result: Rule["result"] =
    typeof name === "string" ? { kind: "names", names: [name] } : { kind: "unknown" };
  const relays = relayNames(props);
  return {
    strategy: { kind: "rules", rules: [{ where, holds: "always", result }] },
    leadsTo: (wanted) =>
      relays.some((relay) => relay.known && relay.value === wanted)
        ? "relay"
        : (BUILT_IN[wanted] ?? (relays.some((relay) => !relay.known) ? "unknown" : "missing")),
    declare: "the name of one of settings.relays",
  };
}

function relayNames(props: unknown): MaybeKnown[] {
  const { known, entries } = listAt(props, ["settings", "relays"]);
  return known ? entries.map(({ path }) => readAt(props, [...path, "name"])) : [{ known }];
}
