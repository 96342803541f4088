import { type Connection, upstreamsOf } from "./caddy/upstreams.ts";
import { dataStoresOf } from "./data-stores.ts";
import type { NotJudged } from "../framework/judgement.ts";
import type { Subject } from "../framework/policy.ts";
import { CONTAINER, environmentOf } from "./docker/containers.ts";
import { relayHostsOf } from "./relay-hosts.ts";
import { SETTINGS, stalwartKeys } from "./stalwart/settings-resource.ts";
import { formatPath, readAt, walk, type Gap } from "../framework/values.ts";
import { SCHEME_PORTS, targetOf } from "../../lib/url-target.ts";

const NOT_A_TARGET = /^(?:0\.0\.0\.0|127\.|\[?::1?\]?$|localhost$)/;
const clean = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
const portOf = (text: unknown): number | undefined => {
  const port = Number(text);
  return text !== undefined && text !== "" && Number.isInteger(port) && port > 0 && port < 65_536
    ? port
    : undefined;
};

/** Postfix and those who took over its variables relay to 25 unless told otherwise. */
const RELAY_SCHEMES: Readonly<Record<string, number>> = { smtps: 465, submission: 587, submissions: 465 };

function relayPort(setting: string, host: string, beside: unknown): number {
  const at = setting.toLowerCase().indexOf(host.toLowerCase());
  const [, own] = /^\]?:(\d{1,5})/.exec(setting.slice(at + host.length)) ?? [];
  const [, scheme = ""] = /([a-z]+):\/\/[^\s,;]*$/i.exec(setting.slice(Math.max(0, at - 200), at)) ?? [];
  return portOf(own) ?? portOf(beside) ?? RELAY_SCHEMES[scheme.toLowerCase()] ?? 25;
}

function relaysOf(resource: Subject): Connection[] {
  const relays = relayHostsOf(resource)?.hosts ?? [];
  if (relays.length === 0) return [];
  const texts = new Map<string, unknown>();
  if (resource.type === CONTAINER)
    for (const [name, value] of environmentOf(resource).values) texts.set(`envs (${name})`, value);
  else for (const { path, value } of walk(resource.props).leaves) texts.set(formatPath(path), value);
  return relays.map(({ where, host }) => {
    const setting = String(texts.get(where) ?? "");
    const beside = [
      where.replace(/(?:host(?:name|s)?|address)(?="\]$|\)?$)/i, (word) =>
        /^[A-Z]/.test(word) ? "PORT" : "port",
      ),
      where.replace(/\)$/, "_PORT)"),
    ].find((place) => place !== where && texts.has(place));
    const port = relayPort(setting, host, beside === undefined ? undefined : texts.get(beside));
    const quiet = setting.includes("@") ? ({ quiet: true } as const) : {};
    return { where, host: clean(host), port, role: "the relay", ...quiet };
  });
}

const MEMORY = "the in-memory store";
const BLOBS = "the blob store";

function connectionIn(url: string, where: string, role: string): Connection[] {
  const target = targetOf(url);
  if (!target) return [];
  const { host, port, hasLogin } = target;
  return [{ where, host: clean(host), port, role, ...(hasLogin && { quiet: true }) }];
}

/** Redis and S3 as tailwart's components and the registry's objects name them. */
function otherStoresInArgs(component: Subject): Connection[] {
  return walk(component.props).leaves.flatMap(({ path, value }): Connection[] => {
    const where = formatPath(path);
    const text = String(value);
    switch (path.slice(-2).join(".")) {
      case "inMemoryStore.host": {
        const beside = readAt(component.props, [...path.slice(0, -1), "port"]);
        const port = portOf(beside.known ? beside.value : undefined);
        return port === undefined ? [] : [{ where, host: clean(text), port, role: MEMORY }];
      }
      case "InMemoryStore.url":
        return connectionIn(text, where, MEMORY);
      case "blobStore.endpoint":
        return connectionIn(text, where, BLOBS);
      case "region.customEndpoint":
        return path.at(-3) === "BlobStore" ? connectionIn(text, where, BLOBS) : [];
      default:
        return [];
    }
  });
}

function storesInArgs(component: Subject): Connection[] {
  const { leaves } = walk(component.props);
  return dataStoresOf([component]).flatMap(({ host, port }) => {
    const leaf = leaves.find(
      ({ path, value }) =>
        path.at(-1) === "host" && path.at(-2) === "postgres" && clean(String(value)) === host,
    );
    const number = portOf(port);
    return leaf && number !== undefined
      ? [{ where: formatPath(leaf.path), host, port: number, role: "the data store" }]
      : [];
  });
}

function storesInKeys(settings: Subject): Connection[] {
  const { values, where } = stalwartKeys(settings);
  return [...values].flatMap(([key, host]) => {
    const [, url] = /^store\.[^.]+\.(urls(?:\.\d+)?|endpoint)$/.exec(key) ?? [];
    if (url !== undefined) return connectionIn(host, where(key), url === "endpoint" ? BLOBS : MEMORY);
    const [, store] = /^store\.([^.]+)\.host$/.exec(key) ?? [];
    if (store === undefined || /%\{/.test(host)) return [];
    const type = (values.get(`store.${store}.type`) ?? "postgresql").toLowerCase();
    const port = portOf(values.get(`store.${store}.port`)) ?? SCHEME_PORTS[type];
    return port === undefined ? [] : [{ where: where(key), host: clean(host), port, role: "the data store" }];
  });
}

/** `postgres://user:password@host:5432/name` */
function storesInUrl(name: string, value: string): Connection[] {
  return /^https?:/i.test(value) ? [] : connectionIn(value, `envs (${name})`, "the data store");
}

const STORE_VARIABLE =
  /^(?:[A-Z0-9]+_)*(PG|POSTGRES(?:QL)?_|MYSQL_|MARIADB_|REDIS_|DB_|DATABASE_)(?:HOST|HOSTNAME|SERVER)$/;
const VARIABLE_PORTS: Readonly<Record<string, number>> = {
  PG: 5432,
  POSTGRES_: 5432,
  POSTGRESQL_: 5432,
  MYSQL_: 3306,
  MARIADB_: 3306,
  REDIS_: 6379,
};

function storesInEnvironment(container: Subject): Connection[] {
  const { values } = environmentOf(container);
  const fromVariables = [...values].flatMap(([name, value]): Connection[] => {
    if (value.includes("://")) return storesInUrl(name, value);
    if (!/(?:HOST|HOSTNAME|SERVER)$/.test(name)) return [];
    const [, kind] = STORE_VARIABLE.exec(name) ?? [];
    const [, host, own] = /^([^\s:/@]+)(?::(\d+))?$/.exec(value) ?? [];
    if (kind === undefined || host === undefined) return [];
    const beside = values.get(name.replace(/(?:HOST|HOSTNAME|SERVER)$/, "PORT"));
    const port = portOf(own) ?? portOf(beside) ?? VARIABLE_PORTS[kind];
    if (port === undefined) return [];
    return [{ where: `envs (${name})`, host: clean(host), port, role: "the data store" }];
  });
  const named = new Set(fromVariables.map(({ host, port }) => `${host}:${port}`));
  const fromFiles = dataStoresOf([container])
    .filter(({ host, port }) => !named.has(`${host}:${port}`))
    .map(({ host, port }) => ({ where: "uploads", host, port: Number(port), role: "the data store" }));
  return [...fromVariables, ...fromFiles];
}

/** Every connection that a resource says it opens, as far as it can be read. */
export function connectionsOf(resource: Subject): Connection[] {
  const stores =
    resource.type === CONTAINER
      ? storesInEnvironment(resource)
      : resource.type === SETTINGS
        ? storesInKeys(resource)
        : resource.type.startsWith("tailwart:mail:")
          ? [...storesInArgs(resource), ...otherStoresInArgs(resource)]
          : [];
  return [...relaysOf(resource), ...stores, ...upstreamsOf(resource)].filter(
    ({ host }) => !NOT_A_TARGET.test(host),
  );
}

const RELEVANT_KEY =
  /^(?:queue\.route\.[^.]+\.(?:address|port)|store\.[^.]+\.(?:host|port|urls(?:\.\d+)?|endpoint)|server\.listener\..*)$/;

const STORES = new Set<string | number>([
  ...["postgres", "inMemoryStore", "blobStore"],
  ...["InMemoryStore", "BlobStore", "region"],
]);

/** What could name a connection and is not known. `online`: the container is on the tailnet, so that any variable of it may. */
export function unknownConnections(resource: Subject, online: boolean): NotJudged[] {
  const { urn } = resource;
  const gaps = (list: readonly { where: string; because: string }[]): NotJudged[] =>
    list.map(({ where, because }) => ({ where, because, urn }));
  if (resource.type === SETTINGS)
    return gaps(stalwartKeys(resource).gaps.filter(({ key }) => key === undefined || RELEVANT_KEY.test(key)));
  if (resource.type === CONTAINER) return online ? gaps(relayHostsOf(resource)?.gaps ?? []) : [];
  if (!resource.type.startsWith("tailwart:mail:")) return [];
  const relevant = ({ path }: Gap): boolean =>
    path.slice(-2).some((key) => STORES.has(key)) || path.includes("listeners");
  const rest = walk(resource.props).gaps.filter(relevant);
  return gaps([
    ...(relayHostsOf(resource)?.gaps ?? []),
    ...rest.map(({ path, because }) => ({ where: formatPath(path), because })),
  ]);
}
