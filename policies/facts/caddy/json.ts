import { list, record, strings, type Json } from "../../../lib/json-values.ts";
import { formatPath, type Path, type Place } from "../../framework/values.ts";
import { certificatesOf } from "./certificates.ts";
import {
  dialOf,
  listenOf,
  unreadListenOf,
  type CaddyConfig,
  type Handler,
  type HttpServer,
  type Layer4Server,
  type Listen,
  type Route,
  type Site,
  type Unread,
} from "./model.ts";
import { hostPatternOf } from "./name-patterns.ts";
import { plainPattern } from "./placeholders.ts";

/** Where a server listens, and what of that a placeholder leaves open. */
const listens = (addresses: unknown): { listen: Listen[]; unread: Unread[] } => ({
  listen: strings(addresses).flatMap((address) => listenOf(address) ?? []),
  unread: strings(addresses).flatMap((address) => unreadListenOf(address) ?? []),
});

function handlerOf(node: unknown, path: Path, place: Place): Handler {
  const { handler, proxy_protocol: version, health_checks: checks, upstreams, routes } = record(node);
  return {
    where: place(node, path),
    kind: typeof handler === "string" ? handler : "",
    proxyProtocol: typeof version === "string" ? version : undefined,
    healthPort: Boolean(record(record(checks)["active"])["port"]),
    upstreams: list(upstreams).map((upstream, i) => ({
      where: place(upstream, [...path, "upstreams", i]),
      dial: strings(record(upstream)["dial"]).map(dialOf),
      maxConnections: Number(record(upstream)["max_connections"]) > 0,
    })),
    routes: routesOf(routes, [...path, "routes"], place),
  };
}

function routesOf(routes: unknown, path: Path, place: Place): Route[] {
  return list(routes).map((route, i) => {
    const at = [...path, i];
    const { match, handle } = record(route);
    return {
      where: place(route, at),
      match: list(match).map(record),
      handlers: list(handle).map((handler, j) => handlerOf(handler, [...at, "handle", j], place)),
    };
  });
}

/** Whether a handler or one below it is Caddy's HTTP proxy. */
function proxies(handlers: unknown): boolean {
  return list(handlers).some((handler) => {
    const { handler: kind, routes } = record(handler);
    return kind === "reverse_proxy" || list(routes).some((route) => proxies(record(route)["handle"]));
  });
}

function sitesOf(routes: unknown, path: Path, place: Place, top = true): Site[] {
  return list(routes).flatMap((route, i) => {
    const { match, handle } = record(route);
    const byPattern = list(match).flatMap((set, j): Site[] => {
      const { key = "", pattern } = hostPatternOf(record(set)) ?? {};
      const where = place(route, [...path, i, "match", j, "header_regexp", key]);
      return pattern ? [{ where, name: pattern.source, pattern, top: false, proxies: proxies(handle) }] : [];
    });
    const own = list(match).flatMap((set, j) =>
      strings(record(set)["host"]).map((host, k) => ({
        where: place(route, [...path, i, "match", j, "host", k]),
        name: plainPattern(host),
        top,
        proxies: proxies(handle),
      })),
    );
    const below = list(handle).flatMap((handler, j) =>
      sitesOf(record(handler)["routes"], [...path, i, "handle", j, "routes"], place, false),
    );
    return [...own, ...byPattern, ...below];
  });
}

/** Ports of the http app that have a meaning of their own. */
interface Ports {
  readonly http: number;
  readonly https: number;
}

/** When TLS and redirects are added: https://caddyserver.com/docs/automatic-https */
function httpServer(node: unknown, path: Path, ports: Ports, place: Place): HttpServer {
  const server = record(node);
  const automatic = record(server["automatic_https"]);
  const { listen, unread } = listens(server["listen"]);
  const only = (port: number): boolean =>
    listen.length > 0 && listen.every((one) => one.from === port && one.to === port);
  const sites = sitesOf(server["routes"], [...path, "routes"], place);
  const skip = new Set(strings(automatic["skip"]).map(plainPattern));
  const named = sites.some((site) => site.top && !skip.has(site.name));
  // A socket of the file system is no port, and is not the one of HTTP.
  const automated =
    automatic["disable"] !== true && !only(ports.http) && strings(server["listen"]).length > 0;
  const protocols = strings(server["protocols"]);
  const tls =
    list(server["tls_connection_policies"]).length > 0 || (automated && (named || only(ports.https)));
  const http3 = tls && (protocols.length === 0 || protocols.includes("h3"));
  return {
    where: place(node, path),
    // HTTP/3 takes the same port of UDP.
    listen: http3 ? listen.flatMap((one) => [one, { ...one, network: "udp" as const }]) : listen,
    redirects:
      automated && (named || tls) && automatic["disable_redirects"] !== true
        ? listen.map((one) => ({ ...one, from: ports.http, to: ports.http }))
        : [],
    unread,
    tls,
    sites,
  };
}

function wrappersOf(node: unknown, path: Path, place: Place): Layer4Server[] {
  const { listener_wrappers: wrappers, listen } = record(node);
  return list(wrappers).flatMap((wrapper, i) => {
    const { wrapper: kind, routes } = record(wrapper);
    const at = [...path, "listener_wrappers", i];
    return kind === "layer4"
      ? [
          {
            where: place(wrapper, at),
            ...listens(listen),
            wrapper: true,
            routes: routesOf(routes, [...at, "routes"], place),
          },
        ]
      : [];
  });
}

/** True for what Caddy would take as its whole config. */
export function isCaddyJson(value: unknown): value is Json {
  const apps = record(record(value)["apps"]);
  return ["http", "layer4", "tls"].some((app) => Object.keys(record(apps[app])).length > 0);
}

/**
 * Reads a Caddy config. Values of a wrong kind are passed over, since Caddy would refuse them.
 *
 * @param base what the places begin with
 * @param isPart says that the rest of the config is elsewhere
 * @param places where a node was written, for nodes that come from a Caddyfile
 */
export function readCaddyJson(
  config: Json,
  base: string,
  places?: ReadonlyMap<unknown, string>,
  gaps: CaddyConfig["gaps"] = [],
  isPart = false,
): CaddyConfig {
  const place: Place = (node, path) => `${base} ${places?.get(node) ?? formatPath(path)}`.trim();
  const apps = record(config["apps"]);
  const http = record(apps["http"]);
  const ports = { http: Number(http["http_port"] ?? 80), https: Number(http["https_port"] ?? 443) };
  const servers = Object.entries(record(http["servers"])).map(([name, node]) => ({
    node,
    path: ["apps", "http", "servers", name],
  }));
  const layer4 = Object.entries(record(record(apps["layer4"])["servers"])).map(([name, node]) => {
    const path = ["apps", "layer4", "servers", name];
    const { listen, routes } = record(node);
    const elsewhere =
      isPart && listen === undefined ? [{ because: "listens where another part says", host: "" }] : [];
    const { listen: own, unread } = listens(listen);
    return {
      where: place(node, path),
      listen: own,
      unread: [...unread, ...elsewhere],
      wrapper: false,
      routes: routesOf(routes, [...path, "routes"], place),
    };
  });
  const read = servers.map(({ node, path }) => ({ node, server: httpServer(node, path, ports, place) }));
  // A wrapper has the listeners of its server, which says it already.
  const open = [...read.map(({ server }) => server), ...layer4].flatMap(({ where, unread }) =>
    unread.map(({ because }) => ({ where, because })),
  );
  return {
    where: base,
    http: read.map(({ server }) => server),
    layer4: [...layer4, ...servers.flatMap(({ node, path }) => wrappersOf(node, path, place))],
    certificates: certificatesOf(record(apps["tls"]), read, place),
    sharedStorage: !["", "file_system"].includes(String(record(config["storage"])["module"] ?? "")),
    gaps: [...gaps, ...open],
  };
}
