import { list, record } from "../../../lib/json-values.ts";
import type { Handler, Layer4Server, MatcherSet, Route } from "./model.ts";

/** Ports on which the server sends the first byte, and those of mail on which the client does. */
const SERVER_FIRST = [24, 25, 110, 143, 587, 4190];
const CLIENT_FIRST = [443, 465, 993, 995];

/**
 * Matchers that wait for the client's bytes. Those of an address or the time do not;
 * `proxy_protocol` reads what a load balancer sends first; and one that is not listed is left
 * alone.
 */
const READS_BYTES = new Set([
  "dns",
  "http",
  "openvpn",
  "postgres",
  "postgres_client",
  "postgres_ssl",
  "quic",
  "rdp",
  "regexp",
  "socks4",
  "socks5",
  "ssh",
  "tls",
  "winbox",
  "wireguard",
  "xmpp",
]);

/** The matcher of a set that waits for the client's bytes, if one does. */
export function waitingMatcherOf(set: MatcherSet): string | undefined {
  for (const [name, options] of Object.entries(set)) {
    if (READS_BYTES.has(name)) return name;
    const negated =
      name === "not"
        ? list(options)
            .map((inner) => waitingMatcherOf(record(inner)))
            .find(Boolean)
        : undefined;
    if (negated !== undefined) return negated;
  }
  return undefined;
}

/** The proxies of a route, also in its subroutes. */
function proxiesOf(handlers: readonly Handler[]): Handler[] {
  return handlers.flatMap((handler) => [
    ...(handler.kind === "proxy" ? [handler] : []),
    ...handler.routes.flatMap((route) => proxiesOf(route.handlers)),
  ]);
}

const endsTls = (route: Route): boolean => route.handlers.some(({ kind }) => kind === "tls");
const dialsPort = (proxy: Handler, ports: readonly number[]): boolean =>
  proxy.upstreams.some(({ dial }) => dial.some(({ port }) => port !== undefined && ports.includes(port)));

/** Whether the mail server speaks first: by the edge's port, else by the one that is dialled. */
export function serverFirst(server: Layer4Server, route: Route): boolean {
  const on = (ports: readonly number[]): boolean =>
    server.listen.some(({ from, to }) => from === to && ports.includes(from));
  if (on(SERVER_FIRST)) return true;
  return (
    !on(CLIENT_FIRST) &&
    !endsTls(route) &&
    proxiesOf(route.handlers).some((proxy) => dialsPort(proxy, SERVER_FIRST))
  );
}
