/**
 * What a Caddy config says to the four policies that read it, whether it was written as JSON or as
 * a Caddyfile. Places (`where`) are those of the source: a property path or a line.
 */
import { parseIPv6 } from "../../../lib/addresses.ts";
import type { NamePattern } from "./name-patterns.ts";
import { becauseOf, openPlaceholder } from "./placeholders.ts";

/** One listening socket or range of ports. */
export interface Listen {
  readonly network: "tcp" | "udp";
  /** Empty for every address of the host. */
  readonly host: string;
  readonly from: number;
  readonly to: number;
  /** Of a listener on every address: the one family that it is limited to. */
  readonly family?: 4 | 6;
}

/** A listener that is not known: a placeholder leaves it open, or another part of the config. */
export interface Unread {
  readonly because: string;
  /** Undefined where the address is open too. */
  readonly host: string | undefined;
}

/** A name that the http app answers. */
export interface Site {
  readonly where: string;
  readonly name: string;
  /** What the name is by a regular expression. */
  readonly pattern?: NamePattern;
  /** False for a name that only a nested route matches: automatic HTTPS does not look there. */
  readonly top: boolean;
  readonly proxies: boolean;
}

export interface HttpServer {
  readonly where: string;
  readonly listen: readonly Listen[];
  /** Where automatic HTTPS listens to redirect, beside `listen`. */
  readonly redirects: readonly Listen[];
  readonly unread: readonly Unread[];
  readonly tls: boolean;
  readonly sites: readonly Site[];
}

/** One address that a layer4 proxy dials. */
export interface Dial {
  readonly host: string;
  /** Undefined for a placeholder, or a unix socket. */
  readonly port: number | undefined;
  /** A placeholder that stands for the host, the port or both, if one value does. */
  readonly placeholder?: string;
}

export interface Upstream {
  readonly where: string;
  readonly dial: readonly Dial[];
  readonly maxConnections: boolean;
}

/** A layer4 handler; upstreams for `proxy`, routes for `subroute` and the like. */
export interface Handler {
  readonly where: string;
  readonly kind: string;
  readonly proxyProtocol: string | undefined;
  readonly healthPort: boolean;
  readonly upstreams: readonly Upstream[];
  readonly routes: readonly Route[];
}

/** Matchers by name; all of a set must match, and one set of a route is enough. */
export type MatcherSet = Readonly<Record<string, unknown>>;

export interface Route {
  readonly where: string;
  readonly match: readonly MatcherSet[];
  readonly handlers: readonly Handler[];
}

export interface Layer4Server {
  readonly where: string;
  readonly listen: readonly Listen[];
  readonly unread: readonly Unread[];
  /** True inside an http server's listener, whose socket and `listen` it shares. */
  readonly wrapper: boolean;
  readonly routes: readonly Route[];
}

/** A name for which Caddy would get a certificate. */
export interface Certificate {
  readonly where: string;
  readonly name: string;
  readonly acme: boolean;
  /** Directories of the CAs that may be asked, of which one is enough; "" for one not known. */
  readonly directories: readonly string[];
}

export interface CaddyConfig {
  readonly where: string;
  readonly http: readonly HttpServer[];
  readonly layer4: readonly Layer4Server[];
  readonly certificates: readonly Certificate[];
  /** Certificates lie where a second Caddy finds them, so that both order once. */
  readonly sharedStorage: boolean;
  /** Labels of a container say it to a Caddy that runs elsewhere. */
  readonly byLabels?: true;
  /** Parts that could not be read. */
  readonly gaps: readonly { readonly where: string; readonly because: string }[];
}

/** Ports on which a mail server is reached. */
export const MAIL_PORTS: ReadonlySet<number> = new Set([24, 25, 110, 143, 465, 587, 993, 995, 4190]);

const EVERY_HOST = new Set(["", "0.0.0.0"]);
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:]*)):(.+)$/;

interface Parts {
  readonly network: string;
  readonly family: 4 | 6 | undefined;
  readonly host: string;
  readonly port: string;
}

function split(address: string): Parts | undefined {
  const [, network = "tcp", rest = ""] =
    /^(?:([a-z]+[46]?)\/)?(.*)$/.exec(address.trim().toLowerCase()) ?? [];
  const [, bracketed, plain = "", port] = HOST_PORT.exec(rest) ?? [];
  if (!/^(?:tcp|udp)[46]?$/.test(network) || port === undefined) return undefined;
  const family = { "4": 4, "6": 6 }[network.slice(3)] as Parts["family"];
  return { network: network.slice(0, 3), family, host: bracketed ?? plain, port };
}

/** An address to bind in one spelling: empty for every address, and a name of loopback as IPv4. */
function plainAddress(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  const groups = host.includes(":") ? parseIPv6(host) : undefined;
  if (!groups) return EVERY_HOST.has(host) ? "" : host;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const [high = 0, low = 0] = groups.slice(6);
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  if (groups.every((group) => group === 0)) return "";
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}

/** A listener such as `:443`, `udp/[::1]:53`, `:8000-8010`; undefined for unix and placeholders. */
export function listenOf(address: string): Listen | undefined {
  const parts = split(address);
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(parts?.port ?? "") ?? [];
  if (!parts || from === undefined || parts.host.includes("{")) return undefined;
  const host = plainAddress(parts.host);
  return {
    network: parts.network as "tcp" | "udp",
    host,
    from: Number(from),
    to: Number(to),
    ...(host === "" && parts.family && { family: parts.family }),
  };
}

/** A listener that is known once a placeholder's value is; undefined for any other. */
export function unreadListenOf(address: string): Unread | undefined {
  const placeholder = /\{[^{}]*\}/.exec(address)?.[0];
  if (placeholder === undefined || /^(?:unix|fd)/i.test(address)) return undefined;
  const host = split(address)?.host;
  return {
    because: `listens where ${becauseOf(placeholder)}`,
    host: host?.includes("{") === false ? plainAddress(host) : undefined,
  };
}

/** What a proxy dials: `mail.example.ts.net:25`, `tcp/[::1]:443`, `{l4.tls.server_name}:443`. */
export function dialOf(address: string): Dial {
  const parts = split(address);
  const placeholder = openPlaceholder(address);
  const open = placeholder === undefined ? {} : { placeholder };
  if (!parts) return { host: address.trim().toLowerCase(), port: undefined, ...open };
  return {
    ...open,
    host: parts.host.replace(/\.$/, ""),
    port: /^\d{1,5}$/.test(parts.port) ? Number(parts.port) : undefined,
  };
}

/**
 * Whether two are bound alike. The kernel prefers one that names its address, and one of IPv4 alone
 * to one of both families, so that each connection has one owner.
 */
export function samePort(a: Listen, b: Listen): boolean {
  const alike = a.network === b.network && a.host === b.host && a.family === b.family;
  return alike && a.from <= b.to && b.from <= a.to;
}

export const includesPort = (listen: readonly Listen[], port: number): boolean =>
  listen.some((one) => one.from <= port && port <= one.to);

/** Whether a name or its wildcard covers a name, as in a certificate: `*` stands for one label. */
export function covers(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith("*.") && pattern.slice(1) === name.slice(name.indexOf(".")));
}
