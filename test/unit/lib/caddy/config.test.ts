import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { caddyConfig, type EdgeInputs } from "../../../../lib/caddy/config.ts";
import { passthroughNames } from "../../../../lib/tailnet/magic-dns-name.ts";
import { MAIL_SERVICES } from "../../../../lib/mail-services.ts";

const HOST = "stalwart.tail7b1641.ts.net";

interface Handler {
  handler: string;
  proxy_protocol?: string;
  upstreams?: { dial: string | string[] }[];
}
interface Route {
  match?: { tls?: { sni?: string[] }; not?: object[] }[];
  handle: Handler[];
}
interface Server {
  listen: string[];
  routes: Route[];
}

/** Every object below a value that has the key. */
function having<T>(value: unknown, key: string): T[] {
  if (typeof value !== "object" || value === null) return [];
  return [...(key in value ? [value as T] : []), ...Object.values(value).flatMap((v) => having<T>(v, key))];
}

const parts = (config: Record<string, unknown>) => {
  const apps = config["apps"] as { layer4: { servers: Record<string, Server> }; http?: object; tls?: object };
  return { mail: Object.values(apps.layer4.servers), http: apps.http, tls: apps.tls };
};

const site = fc
  .record({
    label: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
    upstream: fc.option(fc.constant("127.0.0.1:8000")),
  })
  .map(({ label, upstream }) => ({ host: `${label}.example.net`, ...(upstream ? { upstream } : {}) }));
const edges: fc.Arbitrary<EdgeInputs> = fc.record({
  services: fc.subarray(Object.values(MAIL_SERVICES), { minLength: 1 }),
  upstreamHost: fc.constant(HOST),
  passthrough: fc.constant(passthroughNames("mail.example.org", [{ name: "example.org" }])),
  sites: fc.uniqueArray(site, { selector: ({ host }) => host, maxLength: 4 }),
  fallback: fc.option(fc.record({ to: fc.constant("127.0.0.1:8443"), proxyProtocol: fc.boolean() }), {
    nil: undefined,
  }),
  certificates: fc.constantFrom("acme" as const, "internal" as const),
});
/** Whether anything is answered on :443. */
const hasWeb = (inputs: EdgeInputs) =>
  inputs.sites.length > 0 || inputs.fallback !== undefined || inputs.services.some((s) => s.port === 443);
/** Every set of services and sites has the property. */
const always = (property: (inputs: EdgeInputs, config: Record<string, unknown>) => void) =>
  fc.assert(fc.property(edges, (inputs) => void property(inputs, caddyConfig(inputs))));

describe("the edge's Caddy config, for any services and sites", () => {
  test("sends PROXY protocol v2 on every route to Stalwart, :443 included (lesson 3)", () =>
    always((inputs, config) => {
      const proxies = having<Handler>(config, "handler").filter(({ upstreams }) =>
        JSON.stringify(upstreams ?? "").includes(HOST),
      );
      expect(proxies).toHaveLength(inputs.services.length);
      for (const { proxy_protocol } of proxies) expect(proxy_protocol).toBe("v2");
    }));

  test("dials Stalwart on the port that the client came to", () =>
    always((inputs, config) => {
      const dialled = having<{ dial: unknown }>(config, "dial").flatMap(({ dial }) => dial);
      for (const { port } of inputs.services) expect(dialled).toContain(`${HOST}:${port}`);
      for (const { listen, routes } of parts(config).mail)
        expect(routes[0]?.handle[0]?.upstreams).toEqual([{ dial: [`${HOST}${listen[0]}`] }]);
    }));

  test("has no matcher on a mail port, where the server speaks first", () =>
    always((inputs, config) => {
      const { mail } = parts(config);
      expect(mail).toHaveLength(inputs.services.filter(({ protocol }) => protocol !== "http").length);
      for (const { routes } of mail) {
        expect(routes).toHaveLength(1);
        expect(routes[0]).not.toHaveProperty("match");
      }
    }));

  test("has exactly one listener on every port, :443 among them (lesson 15)", () =>
    always((inputs, config) => {
      const ports = having<Server>(config, "listen")
        .flatMap(({ listen }) => listen)
        .filter((address) => !address.startsWith("unix/"));
      const web = hasWeb(inputs) ? [":443"] : [];
      const wanted = new Set([...inputs.services.map(({ port }) => `:${port}`), ...web]);
      expect(ports.toSorted()).toEqual([...wanted].toSorted());
    }));

  test("never gets a certificate for a name that is passed through (lesson 7)", () =>
    always((inputs, config) => {
      const asked = JSON.stringify(parts(config).tls ?? {});
      for (const name of inputs.passthrough) expect(asked).not.toContain(name);
      for (const { host } of inputs.sites) expect(asked).toContain(`"${host}"`);
    }));

  test("looks at TLS names before Caddy's own TLS, and only for a bounded time (lesson 5)", () =>
    always((inputs, config) => {
      const [web] = having<{ listener_wrappers: Record<string, unknown>[] }>(config, "listener_wrappers");
      if (!web) return expect(hasWeb(inputs)).toBe(false);
      expect(web.listener_wrappers.map(({ wrapper }) => wrapper)).toEqual(["layer4", "tls"]);
      expect(web.listener_wrappers[0]?.["matching_timeout"]).toMatch(/^[1-4]s$/);
    }));

  test("ends nobody's TLS before it passes a connection on (lesson 5)", () =>
    always((_, config) => {
      const handled = having<{ handle: Handler[] }>(config, "handle").map(({ handle }) => handle);
      const passing = handled.filter((all) => all.some(({ handler }) => handler === "proxy"));
      for (const all of passing) expect(all.map(({ handler }) => handler)).toEqual(["proxy"]);
    }));
});

describe("another web server on the edge", () => {
  const inputs: EdgeInputs = {
    services: [MAIL_SERVICES.smtp, MAIL_SERVICES.https],
    upstreamHost: HOST,
    passthrough: ["mail.example.org"],
    sites: [{ host: "www.example.org" }],
    fallback: { to: "127.0.0.1:8443", proxyProtocol: false },
    certificates: "acme",
  };
  const routesOf = (more: Partial<EdgeInputs>) => {
    const [web] = having<{ listener_wrappers: { routes?: Route[] }[] }>(
      caddyConfig({ ...inputs, ...more }),
      "listener_wrappers",
    );
    return web?.listener_wrappers[0]?.routes ?? [];
  };

  test("gets what is for no name of Stalwart's and no site of the edge, after both were looked for", () => {
    const [stalwart, other, ...rest] = routesOf({});
    expect(stalwart?.match).toEqual([{ tls: { sni: ["mail.example.org"] } }]);
    expect(other).toEqual({
      match: [{ tls: {}, not: [{ tls: { sni: ["www.example.org"] } }] }],
      handle: [{ handler: "proxy", upstreams: [{ dial: ["127.0.0.1:8443"] }] }],
    });
    expect(rest).toEqual([]);
    expect(routesOf({ sites: [] })[1]?.match).toEqual([{ tls: {} }]);
    expect(routesOf({ services: [] })).toHaveLength(1);
  });

  test("is told the client's address by PROXY v2 only where it expects that", () => {
    const handler = routesOf({ fallback: { to: "web.example.org:8443", proxyProtocol: true } })[1]?.handle[0];
    expect(handler).toMatchObject({ proxy_protocol: "v2", upstreams: [{ dial: ["web.example.org:8443"] }] });
  });

  test("keeps port 80: no redirects and no challenge of Caddy's there", () => {
    const ours = JSON.stringify(caddyConfig(inputs));
    expect(ours).toContain('"automatic_https":{"disable_redirects":true}');
    expect(ours).toContain('"challenges":{"http":{"disabled":true}}');
    const alone = JSON.stringify(caddyConfig({ ...inputs, fallback: undefined }));
    expect(alone).not.toMatch(/automatic_https|challenges/);
  });
});

test("a site without an upstream is answered with 404, one with an upstream is proxied", () => {
  const sites = [{ host: "a.example.net" }, { host: "b.example.net", upstream: "127.0.0.1:8000" }];
  const config = caddyConfig({
    services: [MAIL_SERVICES.https],
    upstreamHost: HOST,
    passthrough: ["mail.example.org"],
    sites,
    certificates: "acme",
  });
  const { routes } = (parts(config).http as { servers: { web: Server } }).servers.web;
  expect(routes.map(({ match, handle }) => [match, handle])).toEqual([
    [[{ host: ["a.example.net"] }], [{ handler: "static_response", status_code: 404 }]],
    [[{ host: ["b.example.net"] }], [{ handler: "reverse_proxy", upstreams: [{ dial: "127.0.0.1:8000" }] }]],
  ]);
});

test("the admin API listens on a unix socket only, since it has no password", () => {
  const empty = {
    services: [],
    upstreamHost: HOST,
    passthrough: [],
    sites: [],
    certificates: "acme" as const,
  };
  expect(caddyConfig(empty)["admin"]).toMatchObject({ listen: expect.stringMatching(/^unix\/\//) });
});
