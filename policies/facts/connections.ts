import { SCHEME_PORTS, targetOf } from "../../lib/url-target.ts";
import { gapOf } from "../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../framework/policy.ts";
import { formatPath, readAt, walk, type Gap } from "../framework/values.ts";
import { upstreamsOf, type Connection } from "./caddy/upstreams.ts";
import { dataStoresOf, storesInArgs } from "./data-stores.ts";
import { CONTAINER, environmentOf } from "./docker/containers.ts";
import { isLoopback, plainHost, portOf } from "./hosts.ts";
import { isOwn, SETTINGS } from "./own-resources.ts";
import { relayHostsOf } from "./relays/relay-hosts.ts";
import { stalwartKeys } from "./stalwart/flat-keys.ts";
import { storeNamed } from "./store-variables.ts";

function relaysOf(resource: PolicyResource): Connection[] {
  return (relayHostsOf(resource)?.hosts ?? []).map(({ where, host, port, quiet }) => ({
    where,
    host: plainHost(host),
    port,
    role: "the relay",
    ...(quiet && { quiet }),
  }));
}

const MEMORY = "the in-memory store";
const BLOBS = "the blob store";

function connectionIn(url: string, where: string, role: string): Connection[] {
  const target = targetOf(url);
  if (!target) return [];
  const { host, port, hasLogin } = target;
  return [{ where, host: plainHost(host), port, role, ...(hasLogin && { quiet: true }) }];
}

/** Redis and S3 as tailwart's components and the registry's objects name them. */
function otherStoresInArgs(component: PolicyResource): Connection[] {
  return walk(component.props).leaves.flatMap(({ path, value }): Connection[] => {
    const where = formatPath(path);
    const text = String(value);
    switch (path.slice(-2).join(".")) {
      case "inMemoryStore.host": {
        const beside = readAt(component.props, [...path.slice(0, -1), "port"]);
        const port = portOf(beside.known ? beside.value : undefined);
        return port === undefined ? [] : [{ where, host: plainHost(text), port, role: MEMORY }];
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

function dataStoresInArgs(component: PolicyResource): Connection[] {
  return storesInArgs(component).flatMap(({ path, host, port }) => {
    const number = portOf(port);
    return number === undefined
      ? []
      : [{ where: formatPath(path), host, port: number, role: "the data store" }];
  });
}

function storesInKeys(settings: PolicyResource): Connection[] {
  const { values, where } = stalwartKeys(settings);
  return [...values].flatMap(([key, host]) => {
    const [, url] = /^store\.[^.]+\.(urls(?:\.\d+)?|endpoint)$/.exec(key) ?? [];
    if (url !== undefined) return connectionIn(host, where(key), url === "endpoint" ? BLOBS : MEMORY);
    const [, store] = /^store\.([^.]+)\.host$/.exec(key) ?? [];
    if (store === undefined || /%\{/.test(host)) return [];
    const type = (values.get(`store.${store}.type`) ?? "postgresql").toLowerCase();
    const port = portOf(values.get(`store.${store}.port`)) ?? SCHEME_PORTS[type];
    return port === undefined
      ? []
      : [{ where: where(key), host: plainHost(host), port, role: "the data store" }];
  });
}

/** `postgres://user:password@host:5432/name` */
function storesInUrl(name: string, value: string): Connection[] {
  return /^https?:/i.test(value) ? [] : connectionIn(value, `envs (${name})`, "the data store");
}

function storesInEnvironment(container: PolicyResource): Connection[] {
  const { values } = environmentOf(container);
  const fromVariables = [...values].flatMap(([name, value]): Connection[] => {
    if (value.includes("://")) return storesInUrl(name, value);
    const store = storeNamed(name, value, values);
    return store ? [{ where: `envs (${name})`, ...store, role: "the data store" }] : [];
  });
  const named = new Set(fromVariables.map(({ host, port }) => `${host}:${port}`));
  const fromFiles = dataStoresOf([container])
    .filter(({ host, port }) => !named.has(`${host}:${port}`))
    .map(({ host, port }) => ({ where: "uploads", host, port: Number(port), role: "the data store" }));
  return [...fromVariables, ...fromFiles];
}

/** What is listened on, and cannot be dialled. */
const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** Every connection that a resource says it opens, as far as it can be read. */
export function connectionsOf(resource: PolicyResource): Connection[] {
  const stores =
    resource.type === CONTAINER
      ? storesInEnvironment(resource)
      : resource.type === SETTINGS
        ? storesInKeys(resource)
        : isOwn(resource)
          ? [...dataStoresInArgs(resource), ...otherStoresInArgs(resource)]
          : [];
  return [...relaysOf(resource), ...stores, ...upstreamsOf(resource)].filter(
    ({ host }) => !isLoopback(host) && !ANY_ADDRESS.has(host),
  );
}

const RELEVANT_KEY =
  /^(?:queue\.route\.[^.]+\.(?:address|port)|store\.[^.]+\.(?:host|port|urls(?:\.\d+)?|endpoint)|server\.listener\..*)$/;

const STORES = new Set<string | number>([
  ...["postgres", "inMemoryStore", "blobStore"],
  ...["InMemoryStore", "BlobStore", "region"],
]);

/** Unknown inputs that may name a connection. `online`: the container is on the tailnet. */
export function unknownConnections(resource: PolicyResource, online: boolean): NotJudged[] {
  const { urn } = resource;
  const gaps = (list: readonly { where: string; because: string }[]): NotJudged[] =>
    list.map(({ where, because }) => ({ where, because, urn }));
  if (resource.type === SETTINGS)
    return gaps(stalwartKeys(resource).gaps.filter(({ key }) => key === undefined || RELEVANT_KEY.test(key)));
  if (resource.type === CONTAINER) return online ? gaps(relayHostsOf(resource)?.gaps ?? []) : [];
  if (!isOwn(resource)) return [];
  const relevant = ({ path }: Gap): boolean =>
    path.slice(-2).some((key) => STORES.has(key)) || path.includes("listeners");
  const rest = walk(resource.props).gaps.filter(relevant);
  return gaps([...(relayHostsOf(resource)?.gaps ?? []), ...rest.map(gapOf)]);
}
