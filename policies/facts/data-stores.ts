import { parse as parseJsonc } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";

import type { PolicyResource } from "../framework/policy.ts";
import { readAt, walk, type Path } from "../framework/values.ts";
import { CONTAINER, environmentOf } from "./docker/containers.ts";
import { uploadsOf } from "./docker/uploads.ts";
import { plainHost } from "./hosts.ts";
import { isOwn } from "./own-resources.ts";

/** A Postgres server that something in the stack keeps its data in. */
export interface DataStore {
  readonly host: string;
  readonly port: string;
}

const store = (host: unknown, port: unknown): DataStore[] =>
  // A macro such as %{env:PGHOST}% is filled in by Stalwart, out of sight.
  typeof host === "string" && host !== "" && !/[%$]\{/.test(host)
    ? [{ host: plainHost(host), port: String(port ?? 5432) }]
    : [];

/** Stores in a Stalwart file: `type = "postgresql"` (0.15), `"@type": "PostgreSql"` (0.16). */
function storesIn(value: unknown): DataStore[] {
  if (typeof value !== "object" || value === null) return [];
  const entry = value as Record<string, unknown>;
  const type = entry["type"] ?? entry["@type"];
  const own =
    typeof type === "string" && /^postgres(?:ql)?$/i.test(type) ? store(entry["host"], entry["port"]) : [];
  return [...own, ...Object.values(entry).flatMap(storesIn)];
}

function fromUploads(container: PolicyResource): DataStore[] {
  return uploadsOf(container).uploads.flatMap(({ file, text }) => {
    if (!text?.includes("ostgre")) return [];
    try {
      if (file?.endsWith(".toml")) return storesIn(parseToml(text));
      if (file?.endsWith(".json")) return storesIn(parseJsonc(text));
    } catch {
      // No readable config file: nothing can be derived from it.
    }
    return [];
  });
}

function fromEnvironment(container: PolicyResource): DataStore[] {
  const { values } = environmentOf(container);
  return store(values.get("TAILWART_POSTGRES_HOST"), values.get("TAILWART_POSTGRES_PORT"));
}

/** Component args: `postgres: { host, port }`, at any depth. */
export function storesInArgs(component: PolicyResource): (DataStore & { readonly path: Path })[] {
  return walk(component.props)
    .leaves.filter(({ path }) => path.at(-1) === "host" && path.at(-2) === "postgres")
    .flatMap(({ path, value }) => {
      const port = readAt(component.props, [...path.slice(0, -1), "port"]);
      return store(value, port.known ? port.value : undefined).map((one) => ({ ...one, path }));
    });
}

/** Data stores by Stalwart's files and variables, and by components' args. Never the flow table. */
export function dataStoresOf(resources: readonly PolicyResource[]): DataStore[] {
  const all = resources.flatMap((resource) => {
    if (resource.type === CONTAINER) return [...fromEnvironment(resource), ...fromUploads(resource)];
    return isOwn(resource) ? storesInArgs(resource) : [];
  });
  return [...new Map(all.map((one) => [`${one.host}:${one.port}`, one])).values()];
}
