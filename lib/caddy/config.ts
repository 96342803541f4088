import type { LeftOut } from "../guards.ts";
import type { MailService } from "../mail-services.ts";

/**
 * Where Caddy's admin API listens: a unix socket in the container, since the API has no password.
 */
export const ADMIN_SOCKET = "unix//run/caddy/admin.sock";

/**
 * How long a client may take to say who it wants on :443; a half ClientHello is closed after this.
 */
const MATCHING_TIMEOUT = "3s";

/** A name that Caddy itself answers on :443. */
export interface EdgeSite {
  host: string;
  /** `host:port` that Caddy proxies to; 404 without one. */
  upstream?: string | undefined;
}

/** Another web server on the edge. */
export interface Fallback {
  /** `host:port` */
  to: string;
  proxyProtocol: boolean;
}

/** What the edge passes on, and what it answers itself. */
export interface EdgeInputs {
  services: MailService[];
  /**
   * Stalwart's MagicDNS name. Caddy looks it up at each dial, so a new address needs no reload
   * (lesson 6).
   */
  upstreamHost: string;
  /** Names whose TLS on :443 is passed through (lesson 5). */
  passthrough: string[];
  sites: EdgeSite[];
  /** Who gets the TLS connections to :443 for all other names; they are closed without one. */
  fallback?: Fallback | undefined;
  certificates: "acme" | "internal";
  /** Only a lab leaves guards out. */
  withoutGuards?: LeftOut | undefined;
}

/**
 * The edge's whole Caddy config.
 *
 * Every route to Stalwart sends PROXY v2, :443 included: otherwise a scanner's request would be
 * charged to the edge and ban it (lesson 3). Mail ports have a route without matcher, since a
 * matcher that reads bytes waits for ever on a port where the server speaks first. On :443 the
 * layer4 wrapper stands before Caddy's own TLS in one listener: two servers on one port would share
 * it at random (lesson 15).
 *
 * Source: https://caddyserver.com/docs/json/, caddy-l4 v0.1.2 docs/servers.md and
 * docs/handlers/proxy.md
 */
export function caddyConfig(inputs: EdgeInputs): Record<string, unknown> {
  const mailPorts = inputs.services.filter((service) => service.protocol !== "http");
  const https = inputs.services.find((service) => service.protocol === "http");
  return {
    admin: { listen: ADMIN_SOCKET, config: { persist: false } },
    logging: { logs: { default: { writer: { output: "stderr" }, level: "INFO" } } },
    apps: {
      layer4: {
        servers: {
          ...Object.fromEntries(mailPorts.map((s) => [s.name, mailServer(s, inputs.upstreamHost)])),
          // Two servers on one port, as somebody writes it who does not know of the wrapper.
          ...(inputs.withoutGuards?.[15] && { https: byName(inputs, https) }),
        },
      },
      ...(https || inputs.sites.length > 0 || inputs.fallback ? { http: httpApp(inputs, https) } : {}),
      ...(inputs.sites.length > 0 ? { tls: tlsApp(inputs) } : {}),
    },
  };
}

function mailServer(service: MailService, host: string) {
  return { listen: [`:${service.port}`], routes: [{ handle: [toStalwart(host, service.port)] }] };
}

function toStalwart(host: string, port: number) {
  return { handler: "proxy", proxy_protocol: "v2", upstreams: [{ dial: [`${host}:${port}`] }] };
}

/** Who gets a connection to :443, by the name that its client asks for. */
function routesByName(inputs: EdgeInputs, https: MailService | undefined) {
  const ended = inputs.withoutGuards?.[5] ? [{ handler: "tls" }] : [];
  const passedOn = https && {
    match: [{ tls: { sni: inputs.passthrough } }],
    handle: [...ended, toStalwart(inputs.upstreamHost, https.port)],
  };
  return [
    ...(passedOn ? [passedOn] : []),
    ...(inputs.fallback ? [toFallback(inputs.fallback, inputs.sites)] : []),
  ];
}

const byName = (inputs: EdgeInputs, https: MailService | undefined) => ({
  listen: [`:${https?.port ?? 443}`],
  routes: routesByName(inputs, https),
});

function httpApp(inputs: EdgeInputs, https: MailService | undefined) {
  const passthrough = {
    wrapper: "layer4",
    matching_timeout: MATCHING_TIMEOUT,
    routes: inputs.withoutGuards?.[15] ? [] : routesByName(inputs, https),
  };
  return {
    servers: {
      web: {
        listen: [`:${https?.port ?? 443}`],
        // HTTP/3 would answer on udp:443 past the layer4 wrapper.
        protocols: ["h1", "h2"],
        listener_wrappers: [passthrough, { wrapper: "tls" }],
        // Port 80 is the other web server's.
        ...(inputs.fallback && { automatic_https: { disable_redirects: true } }),
        // Without a site of its own Caddy would leave the listener in plain HTTP.
        tls_connection_policies: [{}],
        // A browser must not reuse a connection to a site of the edge for a name that is passed
        // through.
        strict_sni_host: true,
        routes: inputs.sites.map((site) => ({
          match: [{ host: [site.host] }],
          handle: [siteHandler(site)],
          terminal: true,
        })),
      },
    },
  };
}

/** Every name but the edge's own sites; a client that names none is not for them either. */
function toFallback({ to, proxyProtocol }: Fallback, sites: EdgeSite[]) {
  const own = sites.map((site) => site.host);
  return {
    match: [{ tls: {}, ...(own.length > 0 && { not: [{ tls: { sni: own } }] }) }],
    handle: [
      { handler: "proxy", ...(proxyProtocol && { proxy_protocol: "v2" }), upstreams: [{ dial: [to] }] },
    ],
  };
}

function siteHandler(site: EdgeSite) {
  return site.upstream === undefined
    ? { handler: "static_response", status_code: 404 }
    : { handler: "reverse_proxy", upstreams: [{ dial: site.upstream }] };
}

function tlsApp(inputs: EdgeInputs) {
  const ended = inputs.withoutGuards?.[5] ? inputs.passthrough : [];
  const subjects = [...inputs.sites.map((site) => site.host), ...ended];
  const acme = { module: "acme", ...(inputs.fallback && { challenges: { http: { disabled: true } } }) };
  const issuer = inputs.certificates === "internal" ? [{ module: "internal" }] : [acme];
  return {
    certificates: { automate: subjects },
    automation: { policies: [{ subjects, issuers: issuer }] },
  };
}
