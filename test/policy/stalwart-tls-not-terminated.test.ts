import { describe, expect, test } from "vitest";
import { stalwartTlsNotTerminated as policy } from "../../policies/rules/stalwart-tls-not-terminated.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  urnOf,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { base64, CONTAINER, resource } from "./resources.ts";

const EDGE = "tailwart:mail:CaddyEdge";

const proxy = (dial: string): object => ({
  handler: "proxy",
  proxy_protocol: "v2",
  upstreams: [{ dial: [dial] }],
});
const passOn = (names: string[], dial = "stalwart.example.ts.net:443"): object => ({
  match: [{ tls: { sni: names } }],
  handle: [proxy(dial)],
});
const site = (host: string, ...handle: object[]): object => ({ match: [{ host: [host] }], handle });
const answer = { handler: "static_response", status_code: 404 };
const proxied = { handler: "reverse_proxy", upstreams: [{ dial: "stalwart:8080" }] };

interface Parts {
  readonly l4?: object[];
  readonly sites?: object[];
  readonly web?: object;
  readonly tls?: object;
  readonly layer4?: object;
}
/** tailwart's own way: routes in a listener wrapper of the http server on :443. */
const config = ({ l4 = [passOn(["mail.example.org"])], sites = [], web = {}, tls, layer4 }: Parts): string =>
  JSON.stringify({
    apps: {
      http: {
        servers: {
          web: {
            listen: [":443"],
            listener_wrappers: [{ wrapper: "layer4", routes: l4 }, { wrapper: "tls" }],
            routes: sites,
            ...web,
          },
        },
      },
      ...(tls && { tls }),
      ...(layer4 && { layer4 }),
    },
  });
const container = (content: string, name?: string) =>
  resource(CONTAINER, name ?? "edge", {
    name: name ?? "edge",
    image: "caddy:2",
    uploads: [{ file: "/etc/caddy/caddy.json", content }],
  });
const judge = (parts: Parts): Promise<Outcome> => runPolicy(policy, container(config(parts)));
const caddyfile = (content: string): Promise<Outcome> =>
  runPolicy(policy, { type: CONTAINER, props: { uploads: [{ file: "/etc/caddy/Caddyfile", content }] } });
const options = (routes: string): string =>
  `{\n servers :443 {\n listener_wrappers {\n layer4 {\n ${routes}\n }\n tls\n }\n }\n}\n`;
const PASS_MAIL =
  "@mail tls sni mail.example.org mta-sts.example.org\n route @mail {\n proxy {\n proxy_protocol v2\n upstream stalwart.example.ts.net:443\n }\n }";

describe("stalwart-tls-not-terminated refuses", () => {
  test("a reverse proxy for a name that is passed through, and says where, what, why and what to write instead", async () => {
    const { violations } = await judge({
      sites: [site("www.example.org", answer), site("Mail.Example.org.", proxied)],
    });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "uploads[0].content (/etc/caddy/caddy.json) apps.http.servers.web.routes[1].match[0].host[0] ends TLS and reverse-proxies mail.example.org, " +
        "whose TLS is passed through (apps.http.servers.web.listener_wrappers[0].routes[0]).",
    );
    expect(violations[0]).toMatch(/why: .*CAA.*lesson 5/);
    expect(violations[0]).toMatch(/instead: .*layer4 route/);
  });

  test.each([
    ["any other answer", { sites: [site("mail.example.org", answer)] }, "ends TLS for mail.example.org"],
    [
      "a proxy deeper in the route",
      { sites: [site("mail.example.org", { handler: "subroute", routes: [{ handle: [proxied] }] })] },
      "ends TLS and reverse-proxies mail.example.org",
    ],
    [
      "a name that a nested route matches",
      { sites: [{ handle: [{ handler: "subroute", routes: [site("mail.example.org", answer)] }] }] },
      "routes[0].handle[0].routes[0].match[0].host[0] ends TLS for mail.example.org",
    ],
    [
      "a wildcard site for a wildcard that is passed on",
      { l4: [passOn(["*.example.org"])], sites: [site("*.example.org", answer)] },
      "ends TLS for *.example.org",
    ],
    [
      "a site that a passed wildcard covers",
      { l4: [passOn(["*.example.org"])], sites: [site("mail.example.org", answer)] },
      "ends TLS for mail.example.org",
    ],
    [
      "a certificate",
      { tls: { certificates: { automate: ["www.example.org", "mail.example.org"] } } },
      "apps.tls.certificates.automate[1] orders a certificate for mail.example.org",
    ],
    [
      "a certificate by a policy",
      {
        tls: {
          automation: { policies: [{ subjects: ["mail.example.org"], issuers: [{ module: "acme" }] }] },
        },
      },
      "apps.tls.automation.policies[0].subjects[0] orders a certificate for mail.example.org",
    ],
    [
      "a layer4 server that ends TLS",
      {
        layer4: {
          servers: {
            a: {
              listen: [":443"],
              routes: [{ match: [{ tls: { sni: ["mail.example.org"] } }], handle: [{ handler: "tls" }] }],
            },
          },
        },
      },
      "apps.layer4.servers.a.routes[0] ends TLS for mail.example.org",
    ],
    [
      "a site behind a name in a subroute",
      {
        l4: [
          { match: [{ tls: {} }], handle: [{ handler: "subroute", routes: [passOn(["mail.example.org"])] }] },
        ],
        sites: [site("mail.example.org", answer)],
      },
      "ends TLS for mail.example.org",
    ],
    [
      "a site on another port of the http app",
      { sites: [site("mail.example.org", answer)], web: { listen: [":8443", ":443"] } },
      "ends TLS for mail.example.org",
    ],
  ] as [string, Parts, string][])("%s", async (_, parts, message) => {
    const { violations } = await judge(parts);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  test("a layer4 server on :443 before the http app on another port", async () => {
    const servers = {
      edge: {
        listen: [":443"],
        routes: [passOn(["mail.example.org"]), { handle: [proxy("127.0.0.1:8443")] }],
      },
    };
    const web = { listen: ["127.0.0.1:8443"], tls_connection_policies: [{}] };
    const { violations } = await judge({
      l4: [],
      layer4: { servers },
      web,
      sites: [site("mail.example.org", proxied)],
    });
    expect(violations).toHaveLength(1);
  });

  test.each([
    [
      "mail.example.org {\n reverse_proxy stalwart:8080\n}",
      "line 18 (mail.example.org) ends TLS and reverse-proxies mail.example.org",
    ],
    [
      "www.example.org, mta-sts.example.org {\n handle {\n reverse_proxy a:1\n }\n}",
      "reverse-proxies mta-sts.example.org",
    ],
    [
      "*.example.org {\n tls {\n dns x\n }\n @m host mail.example.org\n respond @m no\n}",
      "line 22 (@m host) ends TLS for mail.example.org",
    ],
    [
      "*.example.net, :443 {\n @m host mail.example.org\n respond @m no\n}",
      "line 19 (@m host) ends TLS for mail.example.org",
    ],
    [
      "(site) {\n respond {args[0]}\n}\nmail.example.org {\n import site ok\n}",
      "line 21 (mail.example.org) ends TLS for",
    ],
  ])("the Caddyfile's %j", async (sites, message) => {
    const { violations } = await caddyfile(`${options(PASS_MAIL)}\n${sites}\n`);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  test("a Caddyfile in a here-document of a command, and one in a secret", async () => {
    const text = `${options(PASS_MAIL)}\nmail.example.org {\n reverse_proxy stalwart:8080\n}\n`;
    const create = `cat > /etc/caddy/Caddyfile <<'EOF'\n${text}EOF\nsystemctl reload caddy\n`;
    const outcome = await runPolicy(policy, { type: "command:remote:Command", props: { create } });
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.violations[0]).toContain("create (here-document 1) line 18");
    const upload = { file: "/etc/caddy/Caddyfile", contentBase64: secret(base64(text)) };
    const hidden = await runPolicy(policy, { type: CONTAINER, props: { uploads: [upload] } });
    expect(hidden.violations).toHaveLength(1);
  });

  test("a site of tailwart's edge that its own passthrough names", async () => {
    const props = {
      passthrough: ["mail.example.org"],
      sites: [{ host: "www.example.org" }, { host: "mail.example.org" }],
    };
    const { violations } = await runPolicy(policy, { type: EDGE, props });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "sites[1].host ends TLS for mail.example.org, whose TLS is passed through (passthrough[0])",
    );
    const wild = { passthrough: ["*.example.org"], sites: [{ host: "mail.example.org" }] };
    expect((await runPolicy(policy, { type: EDGE, props: wild })).violations).toHaveLength(1);
  });
});

describe("stalwart-tls-not-terminated leaves alone", () => {
  test.each([
    ["sites of other names", { sites: [site("www.example.org", proxied), site("example.org", answer)] }],
    ["a wildcard of another level", { sites: [site("*.web.example.org", answer)] }],
    [
      "a plain site on :80, as for HTTP-01",
      {
        web: { listen: [":80"], listener_wrappers: [] },
        sites: [site("mail.example.org", proxied)],
        layer4: { servers: { a: { listen: [":443"], routes: [passOn(["mail.example.org"])] } } },
      },
    ],
    [
      "a name that is passed on to Caddy's own http app",
      {
        l4: [],
        layer4: {
          servers: { a: { listen: [":443"], routes: [passOn(["www.example.org"], "127.0.0.1:8443")] } },
        },
        web: { listen: [":8443"], tls_connection_policies: [{}] },
        sites: [site("www.example.org", answer)],
      },
    ],
    [
      "a name of which only some clients are passed through",
      {
        l4: [
          {
            match: [{ tls: { sni: ["a.example.org"] }, remote_ip: { ranges: ["192.0.2.0/24"] } }],
            handle: [proxy("a:443")],
          },
        ],
        sites: [site("a.example.org", answer)],
      },
    ],
    [
      "a name whose challenges alone are passed through",
      {
        l4: [
          { match: [{ tls: { sni: ["a.example.org"], alpn: ["acme-tls/1"] } }], handle: [proxy("a:443")] },
        ],
        sites: [site("a.example.org", answer)],
      },
    ],
    [
      "a name that an earlier route takes from a wildcard",
      {
        l4: [
          { match: [{ tls: { sni: ["www.example.org"] } }], handle: [{ handler: "tls" }] },
          passOn(["*.example.org"]),
        ],
        sites: [site("www.example.org", answer)],
      },
    ],
    [
      "a name for which layer4 itself ends TLS before its proxy",
      { l4: [{ match: [{ tls: { sni: ["a.example.org"] } }], handle: [{ handler: "tls" }, proxy("a:80")] }] },
    ],
    [
      "a web site whose name is passed through on a mail port",
      {
        l4: [],
        layer4: {
          servers: { imaps: { listen: [":993"], routes: [passOn(["mail.example.org"], "mail:993")] } },
        },
        sites: [site("mail.example.org", proxied)],
        tls: { certificates: { automate: ["mail.example.org"] } },
      },
    ],
    [
      "a certificate that no CA issues",
      {
        tls: {
          automation: { policies: [{ subjects: ["mail.example.org"], issuers: [{ module: "internal" }] }] },
        },
      },
    ],
    ["a config without routes of layer4", { l4: [], sites: [site("mail.example.org", proxied)] }],
  ] as [string, Parts][])("%s", async (_, parts) => {
    expect(await judge(parts)).toMatchObject(PASSED);
  });

  test.each([
    "www.example.org {\n reverse_proxy a:1\n}",
    "http://mail.example.org {\n reverse_proxy /.well-known/acme-challenge/* stalwart:80\n}",
    ":443 {\n @m not host mail.example.org\n respond @m no\n}",
    ":443 {\n @m {\n not {\n host mail.example.org\n }\n }\n respond @m no\n}",
  ])("the Caddyfile's %j", async (sites) => {
    expect(await caddyfile(`${options(PASS_MAIL)}\n${sites}\n`)).toMatchObject(PASSED);
  });
});

describe("stalwart-tls-not-terminated over a stack", () => {
  const edge: TestResource = {
    type: EDGE,
    name: "edge",
    props: { passthrough: ["mail.example.org"], sites: [] },
  };
  const other = container(config({ l4: [], sites: [site("mail.example.org", proxied)] }), "web");
  const stalwart: TestResource = {
    type: CONTAINER,
    name: "s",
    props: { name: "stalwart", image: "stalwart" },
  };

  test("refuses a second Caddy that answers what tailwart's edge passes through", async () => {
    const { violations } = await runStackPolicy(policy, [edge, other]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "reverse-proxies mail.example.org, whose TLS is passed through (passthrough[0])",
    );
  });

  test("refuses each name of a route that ends TLS", async () => {
    const sni = ["mail.example.org", "mta-sts.example.org"];
    const front = container(config({ l4: [{ match: [{ tls: { sni } }], handle: [{ handler: "tls" }] }] }));
    const both = { ...edge, props: { passthrough: sni, sites: [] } };
    const { violations } = await runStackPolicy(policy, [both, front]);
    expect(violations).toHaveLength(2);
    for (const [i, name] of sni.entries()) expect(violations[i]).toContain(`ends TLS for ${name}`);
    // Where the owner is unknown, the place is listed once.
    const first = container(config({ l4: [passOn(sni)] }), "first");
    const open = { ...stalwart, props: { name: "stalwart", image: UNKNOWN } };
    expect((await runStackPolicy(policy, [first, front, open])).notJudged).toHaveLength(1);
  });

  test("refuses a second Caddy that answers what is passed to a container without Caddy", async () => {
    const first = container(config({}), "edge");
    const { violations } = await runStackPolicy(policy, [first, other, stalwart]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("ends TLS and reverse-proxies mail.example.org");
    const dotted = container(config({ l4: [passOn(["mail.example.org"], "mail.lab:443")] }), "edge");
    const owner = { ...stalwart, props: { name: "Mail.lab", image: "stalwart" } };
    expect((await runStackPolicy(policy, [dotted, other, owner])).violations).toHaveLength(1);
  });

  test("leaves a second Caddy alone that may be the one to which the name is passed", async () => {
    const first = container(config({}), "edge");
    expect(await runStackPolicy(policy, [first, other])).toMatchObject(PASSED);
    const toWeb = container(config({ l4: [passOn(["mail.example.org"], "web:443")] }), "edge");
    expect(await runStackPolicy(policy, [toWeb, other, stalwart])).toMatchObject(PASSED);
    const renamed = { ...other, props: { ...other.props, image: "registry.example.org/front:1" } };
    expect(await runStackPolicy(policy, [toWeb, renamed, stalwart])).toMatchObject(PASSED);
    const caddy = { ...stalwart, props: { name: "stalwart", image: "caddy:2" } };
    expect(await runStackPolicy(policy, [first, other, caddy])).toMatchObject(PASSED);
    const volume = { type: "docker:index/volume:Volume", props: { name: "stalwart" } };
    expect(await runStackPolicy(policy, [first, other, volume])).toMatchObject(PASSED);
  });

  test("does not report again what one resource shows by itself", async () => {
    const alone = container(config({ sites: [site("mail.example.org", answer)] }));
    expect(await runStackPolicy(policy, [alone, edge])).toMatchObject(PASSED);
    expect((await runStackPolicy(policy, [stalwart])).notApplicable).toBe("no Caddy config is in it");
    expect(urnOf(alone)).toContain("edge");
  });
});

describe("stalwart-tls-not-terminated and a wildcard site beside a passed name, which works, leaves alone", () => {
  test.each([
    ["the site", { sites: [site("*.example.org", answer)] }],
    ["one that proxies", { sites: [site("*.example.org", proxied)] }],
    ["its certificate", { tls: { certificates: { automate: ["*.example.org"] } } }],
    [
      "its certificate by a policy",
      {
        tls: {
          automation: {
            policies: [{ subjects: ["example.org", "*.example.org"], issuers: [{ module: "acme" }] }],
          },
        },
      },
    ],
    [
      "a wildcard above a wildcard that is passed on",
      { l4: [passOn(["*.relay.example.org"])], sites: [site("*.example.org", answer)] },
    ],
    [
      "a layer4 handler that ends TLS for all others",
      {
        l4: [
          passOn(["mail.example.org"]),
          { match: [{ tls: { sni: ["*.example.org"] } }], handle: [{ handler: "tls" }, proxy("a:80")] },
        ],
      },
    ],
  ] as [string, Parts][])("%s", async (_, parts) => {
    expect(await judge(parts)).toMatchObject(PASSED);
  });

  test.each([
    "example.org, *.example.org {\n tls {\n dns x\n }\n @apex host example.org\n respond @apex ok\n}",
    "*.example.org {\n tls internal\n reverse_proxy a:1\n}",
    "*.example.org {\n tls cert.pem key.pem\n @a not host mail.example.org\n respond @a ok\n}",
  ])("the Caddyfile's %j", async (sites) => {
    expect(await caddyfile(`${options(PASS_MAIL)}\n${sites}\n`)).toMatchObject(PASSED);
  });

  test("one of tailwart's edge", async () => {
    const props = { passthrough: ["mail.example.org"], sites: [{ host: "*.example.org" }] };
    expect(await runPolicy(policy, { type: EDGE, props })).toMatchObject(PASSED);
  });
});

describe("stalwart-tls-not-terminated asks which site addresses mean TLS", () => {
  const run = (global: string, site: string): Promise<Outcome> =>
    caddyfile(`${options(PASS_MAIL).replace("{\n", `{\n ${global}\n`)}${site}\n`);

  test.each([
    ["a name", "", "mail.example.org {\n}"],
    ["one despite automatic HTTPS being off", "auto_https off", "mail.example.org {\n}"],
    ["one on another port", "", "mail.example.org:8443 {\n}\nwww.example.org {\n}"],
    ["a path", "", "https://mail.example.org/x {\n}"],
    ["one beside a plain one", "", "http://mail.example.org, https://mail.example.org {\n}"],
  ])("and refuses %s", async (_, global, site) => {
    expect((await run(global, site)).violations.length).toBeGreaterThan(0);
  });

  test.each([
    ["HTTP on another port", "", "http://mail.example.org:8080 {\n}"],
    ["the port of HTTP", "", "mail.example.org:80 {\n}"],
    ["another port of HTTP", "http_port 8080", "mail.example.org:8080 {\n}"],
    ["a port without a name", "", ":8080 {\n respond ok\n}"],
    ["HTTP with a tls line, which Caddy passes over", "", "http://mail.example.org:8080 {\n tls internal\n}"],
  ])("and leaves %s alone", async (_, global, site) => {
    expect(await run(global, site)).toMatchObject(PASSED);
  });
});

describe("stalwart-tls-not-terminated and names by a regular expression", () => {
  const run = (pattern: string, sites: string): Promise<Outcome> => {
    const route = `@mail tls sni_regexp ${pattern}\n route @mail {\n proxy stalwart:443 {\n proxy_protocol v2\n }\n }`;
    return caddyfile(`${options(route)}${sites}`);
  };
  const SITE = "mail.example.org {\n respond ok\n}\n";

  test.each([
    ["^(mail|mta-sts)\\.example\\.org$", SITE],
    ["name ^mail[.]", SITE],
    ["`(?i)^MAIL\\.`", SITE],
    ["^(?P<name>[a-z]+)\\.example\\.org$", SITE],
    ["\\.org$", `www.example.org.uk, ${SITE}`],
    ["\\Amail\\..*\\z", SITE],
  ])("refuses a site that %s matches", async (pattern, sites) => {
    const { violations } = await run(pattern, sites);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("ends TLS for mail.example.org, whose TLS is passed through");
  });

  test("refuses one in JSON, and its certificate", async () => {
    const l4 = [
      {
        match: [{ tls: { sni_regexp: { name: "n", pattern: "^mail\\." } } }],
        handle: [proxy("stalwart:443")],
      },
    ];
    expect((await judge({ l4, sites: [site("mail.example.org", answer)] })).violations).toHaveLength(1);
    const tls = { certificates: { automate: ["mail.example.org"] } };
    expect((await judge({ l4, tls })).violations[0]).toContain("orders a certificate for mail.example.org");
  });

  test.each([
    ["^(mail|mta-sts)\\.example\\.org$", "www.example.org {\n respond ok\n}"],
    ["^mail\\.", "*.example.org {\n respond ok\n}"],
    ["^mail\\.", "http://mail.example.org {\n respond ok\n}"],
  ])("leaves alone what %s does not match: %s", async (pattern, sites) => {
    expect(await run(pattern, sites)).toMatchObject(PASSED);
  });

  test.each([
    ["of which this engine takes for ever", "^([a-z]+)+\\.example\\.org$"],
    ["of a class that is Go's", "^[[:alpha:]]+\\.example\\.org$"],
    ["with flags in the middle", "^mail(?i:x)$"],
    ["that is none", "^(mail"],
    ["of a great length", `^(${"a|".repeat(300)}b)$`],
  ])("does not judge one %s", async (_, pattern) => {
    expect(await run(`\`${pattern}\``, SITE)).toMatchObject({
      violations: [],
      notJudged: [
        "uploads[0].content (/etc/caddy/Caddyfile) line 6 (route @mail): matches names by a regular expression that cannot be tried out here",
      ],
    });
  });

  test.each([
    ["@m header_regexp Host ^mail\\.", 1],
    ["@m header_regexp name host ^(mail|www)\\.", 1],
    ["@m {\n header_regexp Host ^mail\\.\n }", 1],
    ["@m header_regexp Host ^www\\.", 0],
    ["@m header_regexp X-Host ^mail\\.", 0],
    ["@m not header_regexp Host ^mail\\.", 0],
  ])("asks of a host by a regular expression too: %s", async (matcher, count) => {
    const { violations } = await caddyfile(`${options(PASS_MAIL)}:443 {\n ${matcher}\n respond @m ok\n}\n`);
    expect(violations).toHaveLength(count);
    expect(violations.every((one) => one.includes("ends TLS for mail.example.org"))).toBe(true);
  });

  test("does not judge a host by one that cannot be tried", async () => {
    const site = ":443 {\n @m header_regexp Host ^(a+)+$\n respond @m ok\n}\n";
    expect((await caddyfile(`${options(PASS_MAIL)}${site}`)).notJudged).toHaveLength(1);
    expect((await caddyfile(site)).notJudged ?? []).toEqual([]);
  });
});

describe("stalwart-tls-not-terminated and what a variable stands for", () => {
  const run = (sni: string, sites: string, ...envs: unknown[]): Promise<Outcome> => {
    const route = `@mail tls sni ${sni}\n route @mail {\n proxy stalwart:443 {\n proxy_protocol v2\n }\n }`;
    const uploads = [
      { file: "/etc/caddy/Caddyfile", content: `${options(route)}${sites} {\n respond ok\n}\n` },
    ];
    return runPolicy(policy, { type: CONTAINER, props: { envs, uploads } });
  };

  test.each([
    ["mail.{$DOMAIN:example.org}", "mail.example.org"],
    ["mail.example.org", "{$SITES}", "SITES=www.example.org, mail.example.org"],
    ["mail.{env.DOMAIN}", "mail.example.org", "DOMAIN=example.org"],
    ["mail.{$DOMAIN}", "mail.{$DOMAIN}"],
    ["{$Mail}", "{$Mail}"],
  ])("refuses %s beside a site %s", async (sni, sites, ...envs) => {
    expect((await run(sni, sites, ...envs)).violations).toHaveLength(1);
  });

  test.each([
    ["{$MAIL}", "mail.example.org", "{$MAIL}"],
    ["mail.example.org", "{$SITE}", "{$SITE}"],
    ["mail.{$DOMAIN}", "mail.example.org", "{$DOMAIN}"],
    ["*.example.org", "*.{$DOMAIN}", "{$DOMAIN}"],
    ["{$PREFIX}.example.org", "mail.example.org", "{$PREFIX}"],
  ])("does not judge %s beside a site %s", async (sni, sites, placeholder) => {
    const outcome = await run(sni, sites);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toHaveLength(1);
    expect(outcome.notJudged[0]).toContain(`passed through: ${placeholder} stands for a value`);
  });

  test.each([
    ["mail.{$DOMAIN}", "www.{$DOMAIN}"],
    ["mail.{$DOMAIN}", "{$DOMAIN}"],
    ["mail.{$DOMAIN}", "www.example.org"],
    ["{$NAME}.example.org", "www.example.com"],
    ["mail.example.org", "*.{$DOMAIN}"],
  ])("leaves %s beside a site %s alone: they differ whatever it stands for", async (sni, sites) => {
    expect(await run(sni, sites)).toMatchObject(PASSED);
  });
});

test("stalwart-tls-not-terminated takes no container for a Caddy that has labels for one", async () => {
  const edge = container(config({ l4: [passOn(["mail.example.org"], "mail:443")] }), "edge");
  const other = container(config({ l4: [], sites: [site("mail.example.org", answer)] }), "other");
  const mail = {
    type: CONTAINER,
    name: "mail",
    props: { name: "mail", image: "stalwart:1", labels: [{ label: "caddy.email", value: "a@example.org" }] },
  };
  expect((await runStackPolicy(policy, [edge, other, mail])).violations).toHaveLength(1);
});

describe("stalwart-tls-not-terminated lists as not judged", () => {
  test("unknown names of tailwart's edge, where they could meet a known one", async () => {
    const some = {
      passthrough: ["mail.example.org", UNKNOWN],
      sites: [{ host: "mail.example.org" }, { host: UNKNOWN }],
    };
    const outcome = await runPolicy(policy, { type: EDGE, props: some });
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual([
      "passthrough[1]: unknown until the update",
      "sites[1].host: unknown until the update",
    ]);
    const none = await runPolicy(policy, { type: EDGE, props: { passthrough: UNKNOWN_LIST, sites: [] } });
    expect(none).toMatchObject(PASSED);
    const noPass = await runPolicy(policy, {
      type: EDGE,
      props: { passthrough: [], sites: [{ host: UNKNOWN }] },
    });
    expect(noPass).toMatchObject(PASSED);
  });

  test("lists of tailwart's edge that are unknown as a whole", async () => {
    const sites = [{ host: "www.example.org" }];
    const outcome = await runPolicy(policy, { type: EDGE, props: { passthrough: UNKNOWN_LIST, sites } });
    expect(outcome).toEqual({ violations: [], notJudged: ["passthrough: unknown until the update"] });
    const props = { passthrough: ["mail.example.org"], sites: UNKNOWN_LIST };
    const { notJudged } = await runPolicy(policy, { type: EDGE, props });
    expect(notJudged).toEqual(["sites: unknown until the update"]);
  });

  test("a name that is passed to a container whose image, which may be Caddy, is unknown", async () => {
    const first = container(config({}), "edge");
    const other = container(config({ l4: [], sites: [site("mail.example.org", answer)] }), "web");
    const stalwart = { type: CONTAINER, name: "s", props: { name: "stalwart", image: UNKNOWN } };
    expect(await runStackPolicy(policy, [first, other, stalwart])).toEqual({
      violations: [],
      notJudged: [
        "uploads[0].content (/etc/caddy/caddy.json) apps.http.servers.web.routes[0].match[0].host[0]: " +
          "its name's TLS is passed to a container whose image, which may be Caddy, is unknown until the update",
      ],
    });
    const edge = { type: EDGE, name: "own", props: { passthrough: ["mail.example.org"], sites: [] } };
    const sure = await runStackPolicy(policy, [edge, first, other, stalwart]);
    expect(sure.violations).toHaveLength(1);
    expect(sure.notJudged).toEqual([]);
  });

  test("unknown names of tailwart's edge, where another Caddy answers any", async () => {
    const edge = {
      type: EDGE,
      name: "edge",
      props: { passthrough: ["mail.example.org", UNKNOWN], sites: [] },
    };
    const over = (parts: Parts): Promise<Outcome> =>
      runStackPolicy(policy, [edge, container(config({ l4: [], ...parts }), "web")]);
    const ended = { match: [{ tls: { sni: ["a.example.org"] } }], handle: [{ handler: "tls" }] };
    const site_ = site("a.example.org", answer);
    const issuers = (module: string) => [{ subjects: ["a.example.org"], issuers: [{ module }] }];
    for (const parts of [
      { sites: [site_], web: { automatic_https: { disable_certificates: true } } },
      { l4: [ended] },
      { tls: { automation: { policies: issuers("acme") } } },
    ])
      expect(await over(parts)).toEqual({
        violations: [],
        notJudged: ["passthrough[1]: unknown until the update"],
      });
    for (const parts of [
      {},
      { sites: [site_], web: { listen: [":80"], listener_wrappers: [] } },
      { tls: { automation: { policies: issuers("internal") } } },
    ])
      expect(await over(parts)).toEqual(PASSED);
  });

  test("a Caddyfile that is unknown at preview", async () => {
    const uploads = [{ file: "/etc/caddy/Caddyfile", content: UNKNOWN }];
    const outcome = await runPolicy(policy, { type: CONTAINER, props: { uploads } });
    expect(outcome).toMatchObject({
      violations: [],
      notJudged: ["uploads[0].content: unknown until the update"],
    });
  });
});

test("stalwart-tls-not-terminated does not concern resources without a Caddy config", async () => {
  const outcome = await runPolicy(policy, { type: CONTAINER, props: { envs: ["A=mail.example.org"] } });
  expect(outcome.notApplicable).toBe("no Caddy config is in it");
});
