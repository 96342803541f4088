import { isLoopback } from "../hosts.ts";
import { includesPort, type CaddyConfig, type Dial, type Listen, type Route } from "./model.ts";

/** Whether an address is one of some listeners on the machine, or in the container, that dials. */
function isAmong(listen: readonly Listen[], { host, port }: Dial): boolean {
  if (port === undefined) return false;
  return listen.some(
    (one) => includesPort([one], port) && (isLoopback(host) || (one.host !== "" && one.host === host)),
  );
}

/** True for a listener of the same Caddies: Caddy itself then answers after all. */
export const isOwn = (dial: Dial, configs: readonly CaddyConfig[]): boolean =>
  isOwnSite(dial, configs) ||
  configs.some(({ layer4 }) =>
    isAmong(
      layer4.flatMap(({ listen }) => listen),
      dial,
    ),
  );

/** True for the http app of the same Caddies, which is no mail server. */
export const isOwnSite = (dial: Dial, configs: readonly CaddyConfig[]): boolean =>
  configs.some(({ http }) =>
    isAmong(
      http.flatMap(({ listen }) => listen),
      dial,
    ),
  );

const reads = (routes: readonly Route[]): boolean =>
  routes.some(({ handlers }) =>
    handlers.some((handler) => handler.kind === "proxy_protocol" || reads(handler.routes)),
  );

/** True for a layer4 server of the same Caddies that takes PROXY headers, of either version. */
export const takesHeader = (dial: Dial, configs: readonly CaddyConfig[]): boolean =>
  configs.some(({ layer4 }) => layer4.some(({ listen, routes }) => isAmong(listen, dial) && reads(routes)));
