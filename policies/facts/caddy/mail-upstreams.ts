import type { PolicyResource } from "../../framework/policy.ts";
import { readString } from "../../framework/values.ts";
import {
  MAIL_PORTS,
  type CaddyConfig,
  type Dial,
  type Handler,
  type Layer4Server,
  type MatcherSet,
  type Route,
  type Upstream,
} from "./model.ts";
import { sniPatternOf } from "./name-patterns.ts";
import { sniOf } from "./passthrough.ts";
import { plainName } from "../hosts.ts";
import { EDGE, SETTINGS } from "../own-resources.ts";
import { proxyOf } from "../stalwart/proxy.ts";

/** What is known of the mail servers that an edge passes connections to. */
export interface MailHosts {
  /** Hosts that are dialled on a mail port, or that the stack names as its mail server. */
  readonly hosts: ReadonlySet<string>;
  /** Ports on which a listener of the stack's Stalwart demands the header. */
  readonly ports: ReadonlySet<number>;
}

const upstreamsOf = (routes: readonly Route[]): Upstream[] =>
  routes
    .flatMap((route) => route.handlers)
    .flatMap((handler: Handler) => [...handler.upstreams, ...upstreamsOf(handler.routes)]);

/** Names under which the stack knows its mail server. */
function namesOf(resource: PolicyResource): string[] {
  const paths = { [SETTINGS]: ["target", "container"], [EDGE]: ["upstreamHost"] }[resource.type];
  const name = paths ? readString(resource.props, paths).value : undefined;
  return name === undefined ? [] : [plainName(name)];
}

/** Derives the mail servers from configs, and from the stack's own settings if there are any. */
export function mailHostsOf(
  configs: readonly CaddyConfig[],
  resources: readonly PolicyResource[],
): MailHosts {
  const dialled = configs
    .flatMap((config) => config.layer4)
    .flatMap((server) => upstreamsOf(server.routes))
    .flatMap(({ dial }) => dial)
    .filter(({ host, port }) => port !== undefined && MAIL_PORTS.has(port) && !host.includes("{"));
  return {
    hosts: new Set([...dialled.map(({ host }) => host), ...resources.flatMap(namesOf)]),
    ports: new Set(
      resources
        .flatMap((resource) => proxyOf(resource)?.trust.entries ?? [])
        .flatMap(({ ports }) => [...ports]),
    ),
  };
}

/** Names that only a mail server answers on :443; `mail.` may be a web mail elsewhere. */
const MAIL_NAME = /^(?:mta-sts|autoconfig|autodiscover|ua-auto-config)\./;
const IN_PATTERN = /(?<![\w-])(?:mta-sts|autoconfig|autodiscover|ua-auto-config)(?![\w-])/g;

/** The names that a set picks; of a regular expression the services that it spells out. */
export function mailNamesOf(set: MatcherSet): string[] {
  const pattern = sniPatternOf(set);
  if (!pattern) return sniOf(set);
  const services = pattern.source.match(IN_PATTERN) ?? [];
  return [pattern.source, ...services.map((service) => `${service}.`)];
}

/** Stands for the port of a placeholder or a socket, and is none of mail. */
const NO_PORT = -1;

/**
 * Whether an upstream takes (or should take) PROXY headers. What a stranger's mail server trusts is
 * out of sight, so this is decided by what the route is for:
 *
 * - A mail port, dialled or listened on, always counts. Without the header the server sees the edge
 *   as everybody's address, so that bans, SPF and greylisting are wrong for any mail server,
 *   whether or not it is set up for PROXY yet.
 * - TLS passed on by SNI counts where the upstream is a mail server by another sign: the same host
 *   is dialled on a mail port, or the name is one that only mail servers answer. A web server
 *   behind SNI routing, by far the more common use, is left alone.
 * - Any other port counts where the stack's own settings demand the header on it, at a host that is
 *   known as the mail server.
 */
export function isTrusting(
  upstream: Upstream,
  server: Layer4Server,
  sni: readonly string[],
  mail: MailHosts,
): boolean {
  // A range of ports says nothing about mail.
  const mailListener =
    server.listen.length > 0 && server.listen.every(({ from, to }) => from === to && MAIL_PORTS.has(from));
  return (
    mailListener ||
    upstream.dial.some(({ host, port = NO_PORT }) => {
      if (MAIL_PORTS.has(port)) return true;
      if (sni.length > 0 && port === 443)
        return mail.hosts.has(host) || sni.some((name) => MAIL_NAME.test(name));
      return mail.ports.has(port) && mail.hosts.has(host);
    })
  );
}

/** Whether an address of which a placeholder stands for a part may be a mail server's. */
export function mayBeMail(
  { host, port, placeholder }: Dial,
  sni: readonly string[],
  mail: MailHosts,
): boolean {
  if (placeholder === undefined) return false;
  return port === undefined || (port === 443 && sni.length > 0 && host.includes("{") && mail.hosts.size > 0);
}
