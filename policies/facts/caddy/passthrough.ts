import { record, strings } from "../../../lib/json-values.ts";
import {
  covers,
  includesPort,
  MAIL_PORTS,
  type CaddyConfig,
  type Dial,
  type Handler,
  type HttpServer,
  type Layer4Server,
  type Listen,
  type MatcherSet,
  type Route,
} from "./model.ts";
import { plainPattern } from "./placeholders.ts";
import { sniPatternOf, type NamePattern } from "./name-patterns.ts";
import { isOwn } from "./own-listeners.ts";

/** A name whose TLS is passed on as it is. */
export interface Passthrough {
  readonly where: string;
  /** A name, a wildcard or a regular expression. */
  readonly name: string;
  /** What the names are by a regular expression. */
  readonly pattern?: NamePattern;
  /** Names below a wildcard that an earlier route takes. */
  readonly except: readonly string[];
  readonly listen: readonly Listen[];
  readonly dials: readonly Dial[];
}

/** A layer4 route that ends TLS for a name. */
export interface Terminated {
  readonly where: string;
  readonly name: string;
  readonly listen: readonly Listen[];
}

export const sniOf = (set: MatcherSet): string[] => strings(record(set["tls"])["sni"]).map(plainPattern);

/** The names of a set without other conditions, which would let only some clients through. */
function onlySni(set: MatcherSet): Pick<Passthrough, "name" | "pattern">[] {
  if (Object.keys(set).length !== 1 || Object.keys(record(set["tls"])).length !== 1) return [];
  const pattern = sniPatternOf(set);
  return pattern ? [{ name: pattern.source, pattern }] : sniOf(set).map((name) => ({ name }));
}

const takesAnyTls = (route: Route): boolean =>
  route.match.length === 0 ||
  route.match.some(
    (set) => Object.keys(set).length === 1 && "tls" in set && Object.keys(record(set["tls"])).length === 0,
  );

const endsTls = (handlers: readonly Handler[]): boolean => handlers.some((handler) => handler.kind === "tls");

/** What a route's proxies dial, also in subroutes, as long as no handler before them ends TLS. */
function dialsOf(handlers: readonly Handler[]): Dial[] {
  return handlers.flatMap((handler) => [
    ...handler.upstreams.flatMap((upstream) => upstream.dial),
    ...handler.routes.flatMap((route) => dialsOf(route.handlers)),
  ]);
}

function inRoutes(
  routes: readonly Route[],
  server: Layer4Server,
  configs: readonly CaddyConfig[],
): Passthrough[] {
  const taken: string[] = [];
  return routes.flatMap((route): Passthrough[] => {
    if (endsTls(route.handlers)) {
      taken.push(...route.match.flatMap(sniOf));
      return [];
    }
    const names = route.match.flatMap(onlySni);
    const dials = dialsOf(route.handlers);
    if (names.length > 0 && dials.length > 0) {
      const own = dials.some((dial) => isOwn(dial, configs));
      const except = [...taken];
      taken.push(...names.map(({ name }) => name));
      return own
        ? []
        : names.map((name) => ({ ...name, where: route.where, except, listen: server.listen, dials }));
    }
    taken.push(...route.match.flatMap(sniOf));
    return takesAnyTls(route)
      ? route.handlers.flatMap((handler) => inRoutes(handler.routes, server, configs))
      : [];
  });
}

/** Names that a resource's configs pass through by SNI. */
export function passthroughsOf(configs: readonly CaddyConfig[]): Passthrough[] {
  return configs.flatMap((config) =>
    config.layer4.flatMap((server) => inRoutes(server.routes, server, configs)),
  );
}

function terminatedIn(routes: readonly Route[], server: Layer4Server): Terminated[] {
  return routes.flatMap((route): Terminated[] => [
    ...(endsTls(route.handlers)
      ? route.match.flatMap(sniOf).map((name) => ({ where: route.where, name, listen: server.listen }))
      : []),
    ...route.handlers.flatMap((handler) => terminatedIn(handler.routes, server)),
  ]);
}

/** Names for which a layer4 `tls` handler ends TLS. */
export function terminatedOf(config: CaddyConfig): Terminated[] {
  return config.layer4.flatMap((server) => terminatedIn(server.routes, server));
}

/**
 * Whether a name that is answered is one that is passed through. A wildcard beside one of its names
 * is none: the passed name never gets that far, and its CAA record is not asked about the wildcard.
 */
export function sameName(pass: Pick<Passthrough, "name" | "pattern" | "except">, name: string): boolean {
  if (pass.except.includes(name)) return false;
  if (pass.pattern) return !name.startsWith("*.") && pass.pattern.test?.(name) === true;
  return covers(pass.name, name);
}

/**
 * Whether a name that is passed through must not be answered on these ports. One that is passed
 * through on a mail port alone says nothing about the web server of that name.
 */
export function concerns(pass: Pick<Passthrough, "listen">, listen: HttpServer["listen"]): boolean {
  return pass.listen.some((one) => {
    const mail = [...MAIL_PORTS].some((port) => includesPort([one], port));
    return !mail || listen.some((other) => other.from <= one.to && one.from <= other.to);
  });
}

/** True when a name is passed through on more than mail ports. */
export const isForWeb = (pass: Pick<Passthrough, "listen">): boolean => concerns(pass, []);
