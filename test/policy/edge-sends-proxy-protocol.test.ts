import { describe, expect, test } from "vitest";
import { edgeSendsProxyProtocol as policy } from "../../policies/rules/edge-sends-proxy-protocol.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { base64, CONTAINER, resource } from "./resources.ts";

const V2 = { proxy_protocol: "v2" };
const proxy = (dial: string, more: object = V2): object => ({
  handler: "proxy",
  upstreams: [{ dial: [dial] }],
  ...more,
});
const config = (listen: string[], ...routes: object[]): string =>
  JSON.stringify({ apps: { layer4: { servers: { mail: { listen, routes } } } } });
const upload = (content: string, name = "edge") =>
  resource(CONTAINER, name, { uploads: [{ file: "/etc/caddy/caddy.json", content }] });
const judge = (listen: string[], ...routes: object[]): Promise<Outcome> =>
  runPolicy(policy, upload(config(listen, ...routes)));
const caddyfile = (server: string): Promise<Outcome> => {
  const content = `{\n layer4 {\n ${server}\n }\n}\n`;
  return runPolicy(policy, {
    type: CONTAINER,
    props: { uploads: [{ file: "/etc/caddy/Caddyfile", content }] },
  });
};
const PLACE = "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail.routes[0]";
const NO_HEADER = "passes mail on with no PROXY header";
const sni = (name: string): object => ({ match: [{ tls: { sni: [name] } }] });

describe("edge-sends-proxy-protocol refuses a route to the mail server", () => {
  test("without proxy_protocol, and says where, what, why and what to write instead", async () => {
    const { violations } = await judge([":25"], { handle: [proxy("stalwart.example.ts.net:25", {})] });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${PLACE}.handle[0] ${NO_HEADER}.`);
    expect(violations[0]).toMatch(/why: .*bans it.*lesson 3/);
    expect(violations[0]).toMatch(/instead: proxy_protocol "v2"/);
  });

  test("with version 1", async () => {
    const { violations } = await judge([":25"], { handle: [proxy("stalwart:25", { proxy_protocol: "v1" })] });
    expect(violations[0]).toContain("with a PROXY header of version 1");
  });

  test.each([24, 25, 110, 143, 465, 587, 993, 995, 4190])("on port %d", async (port) => {
    const { violations } = await judge([":10000"], { handle: [proxy(`tcp/stalwart:${port}`, {})] });
    expect(violations).toHaveLength(1);
  });

  test.each([
    ["by the edge's own port", [":465"], { handle: [proxy("mail:10465", {})] }],
    [
      "in a subroute",
      [":1"],
      { handle: [{ handler: "subroute", routes: [{ handle: [proxy("mail:25", {})] }] }] },
    ],
    [
      "by its second address",
      [":1"],
      { handle: [proxy("a:1", { upstreams: [{ dial: ["a:1"] }, { dial: ["mail:25"] }] })] },
    ],
    ["at a port that a placeholder leaves open", [":25"], { handle: [proxy("mail:{env.PORT}", {})] }],
    ["on the port of the mail, at the same machine", [":25"], { handle: [proxy("127.0.0.1:25", {})] }],
    [
      "by the name of a mail service",
      [":443"],
      { ...sni("mta-sts.example.org"), handle: [proxy("web:443", {})] },
    ],
  ] as [string, string[], object][])("%s", async (_, listen, route) => {
    const { violations } = await judge(listen, route);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(NO_HEADER);
  });

  test("on :443 by SNI, where the same host takes mail", async () => {
    const servers = {
      smtp: { listen: [":25"], routes: [{ handle: [proxy("Stalwart.example.ts.net.:25")] }] },
      web: {
        listen: [":443"],
        routes: [{ ...sni("m.example.org"), handle: [proxy("stalwart.example.ts.net:443", {})] }],
      },
    };
    const { violations } = await runPolicy(policy, upload(JSON.stringify({ apps: { layer4: { servers } } })));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("apps.layer4.servers.web.routes[0].handle[0] passes mail on");
  });

  test("in a listener wrapper of the http app", async () => {
    const route = { ...sni("autoconfig.example.org"), handle: [proxy("stalwart:443", {})] };
    const web = { listen: [":443"], listener_wrappers: [{ wrapper: "layer4", routes: [route] }] };
    const { violations } = await runPolicy(
      policy,
      upload(JSON.stringify({ apps: { http: { servers: { web } } } })),
    );
    expect(violations[0]).toContain(
      "apps.http.servers.web.listener_wrappers[0].routes[0].handle[0] passes mail on",
    );
  });

  test("with a port for health checks", async () => {
    const checks = { ...V2, health_checks: { active: { port: 8080 } } };
    const { violations } = await judge([":25"], { handle: [proxy("stalwart:25", checks)] });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${PLACE}.handle[0] sets a port for health checks`);
  });

  test("with a limit of connections", async () => {
    const limit = { ...V2, upstreams: [{ dial: ["stalwart:25"], max_connections: 100 }] };
    const { violations } = await judge([":25"], { handle: [proxy("", limit)] });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${PLACE}.handle[0].upstreams[0] sets max_connections`);
  });

  test.each([
    ["tls", [":25"], { match: [{ tls: {} }], handle: [proxy("stalwart:25")] }],
    ["ssh", [":587"], { match: [{ ssh: {} }], handle: [proxy("stalwart:587")] }],
    [
      "http",
      [":4190"],
      { match: [{ remote_ip: {} }, { not: [{ http: [] }] }], handle: [proxy("stalwart:4190")] },
    ],
    ["regexp", [":2525"], { match: [{ regexp: { pattern: "EHLO" } }], handle: [proxy("stalwart:25")] }],
    ["tls", [":143"], { match: [{ tls: {} }], handle: [{ handler: "tls" }, proxy("stalwart:143")] }],
  ] as [string, string[], object][])(
    "with a %s matcher where the server speaks first",
    async (matcher, listen, route) => {
      const { violations } = await judge(listen, route);
      expect(violations).toHaveLength(1);
      expect(violations[0]).toContain(
        `${PLACE} matches with ${matcher}, which waits for the client's first bytes`,
      );
    },
  );

  test.each([
    [
      ":25 {\n route {\n proxy stalwart:25\n }\n }",
      ["line 5 (proxy stalwart:25) passes mail on with no PROXY header"],
    ],
    [":25 {\n route {\n proxy {\n proxy_protocol v1\n upstream stalwart:25\n }\n }\n }", ["version 1"]],
    [
      ":25 {\n route {\n proxy {\n proxy_protocol v2\n health_port 80\n upstream stalwart:25 {\n max_connections 9\n }\n }\n }\n }",
      ["line 5 (proxy) sets a port for health checks", "line 8 (upstream stalwart:25) sets max_connections"],
    ],
    [
      ":25 {\n @a {\n remote_ip 192.0.2.0/24\n tls\n }\n route @a {\n proxy {\n proxy_protocol v2\n upstream {\n dial stalwart:25\n }\n }\n }\n }",
      ["line 8 (route @a) matches with tls"],
    ],
    [
      ":25 {\n @a not tls\n route @a {\n proxy {\n proxy_protocol v2\n upstream a:25\n }\n }\n }",
      ["matches with tls"],
    ],
    [
      ":443 {\n @a tls sni mta-sts.example.org\n route @a {\n subroute {\n route {\n proxy a:443\n }\n }\n }\n }",
      [NO_HEADER],
    ],
  ])("in the Caddyfile %j", async (server, messages) => {
    const { violations } = await caddyfile(server);
    expect(violations).toHaveLength(messages.length);
    for (const [i, message] of messages.entries()) expect(violations[i]).toContain(message);
  });

  test("in a stranger's Docker and Caddy program: a container's env, a command, a secret", async () => {
    const text = config([":25"], { handle: [proxy("mail:25", {})] });
    const env = await runPolicy(policy, { type: CONTAINER, props: { envs: [`CADDY_JSON=${text}`] } });
    expect(env.violations[0]).toContain(
      "envs (CADDY_JSON) apps.layer4.servers.mail.routes[0].handle[0] passes mail on",
    );
    const create = `ssh edge "cat > /etc/caddy/caddy.json" <<EOF\n${text}\nEOF`;
    const command = await runPolicy(policy, { type: "command:local:Command", props: { create } });
    expect(command.violations).toHaveLength(1);
    const uploads = [{ file: "/c.json", contentBase64: secret(base64(text)) }];
    expect((await runPolicy(policy, { type: CONTAINER, props: { uploads } })).violations).toHaveLength(1);
  });
});

describe("edge-sends-proxy-protocol leaves alone", () => {
  test.each([
    ["PROXY v2 without matcher", [":25"], { handle: [proxy("stalwart:25")] }],
    ["layer4 to a database", [":5432"], { match: [{ postgres: {} }], handle: [proxy("db:5432", {})] }],
    [
      "layer4 to a database, whatever its checks",
      [":5432"],
      {
        handle: [
          proxy("db:5432", {
            health_checks: { active: { port: 80 } },
            upstreams: [{ dial: ["db:5432"], max_connections: 9 }],
          }),
        ],
      },
    ],
    ["a web server behind SNI", [":443"], { ...sni("www.example.org"), handle: [proxy("web:443", {})] }],
    ["a web mail behind SNI", [":443"], { ...sni("mail.example.org"), handle: [proxy("web:443", {})] }],
    ["ssh beside TLS", [":443"], { match: [{ ssh: {} }], handle: [proxy("host:22", {})] }],
    ["a range of ports", [":1-65535"], { handle: [proxy("host:1", {})] }],
    ["a range that begins with a mail port", [":25-30"], { handle: [proxy("host:1", {})] }],
    [
      "SNI where the client speaks first",
      [":993"],
      { ...sni("imap.example.org"), handle: [proxy("stalwart:993")] },
    ],
    [
      "SNI where the client speaks first, before a port where the server does",
      [":993"],
      { ...sni("imap.example.org"), handle: [proxy("stalwart:143")] },
    ],
    [
      "TLS that the edge ends",
      [":993"],
      { match: [{ tls: {} }], handle: [{ handler: "tls" }, proxy("stalwart:143")] },
    ],
    [
      "TLS that the edge ends on its own port",
      [":10993"],
      { match: [{ tls: {} }], handle: [{ handler: "tls" }, proxy("stalwart:143")] },
    ],
    [
      "matchers that read nothing",
      [":25"],
      { match: [{ remote_ip: {}, not: [{ local_ip: {} }] }, { clock: {} }], handle: [proxy("stalwart:25")] },
    ],
    [
      "a load balancer's header before the mail",
      [":25"],
      { match: [{ proxy_protocol: {} }], handle: [{ handler: "proxy_protocol" }, proxy("stalwart:25")] },
    ],
    ["a matcher that is not known", [":25"], { match: [{ geoip: {} }], handle: [proxy("stalwart:25")] }],
    [
      "a relay that programs of the same machine use",
      ["127.0.0.1:587"],
      { handle: [proxy("smtp.example.net:587", {})] },
    ],
    ["udp", ["udp/:25"], { handle: [proxy("udp/host:25", {})] }],
    [
      "health checks without a port",
      [":25"],
      { handle: [proxy("stalwart:25", { ...V2, health_checks: { active: { interval: "30s" } } })] },
    ],
  ] as [string, string[], object][])("%s", async (_, listen, route) => {
    expect(await judge(listen, route)).toMatchObject(PASSED);
  });

  test("a route that is never asked, since one before it takes everything", async () => {
    const never = { match: [{ tls: {} }], handle: [proxy("stalwart:25")] };
    expect(await judge([":25"], { handle: [proxy("stalwart:25")] }, never)).toMatchObject(PASSED);
    const on = await judge([":25"], { handle: [{ handler: "proxy_protocol" }] }, never);
    expect(on.violations).toHaveLength(1);
    const some = { match: [{ remote_ip: {} }], handle: [proxy("stalwart:25")] };
    expect((await judge([":25"], some, never)).violations).toHaveLength(1);
  });

  test("other ports of a host that takes mail, and hosts that a placeholder names", async () => {
    const over = (mail: string, dial: string): Promise<Outcome> => {
      const servers = {
        smtp: { listen: [":25"], routes: [{ handle: [proxy(mail)] }] },
        web: { listen: [":443"], routes: [{ ...sni("m.example.org"), handle: [proxy(dial, {})] }] },
      };
      return runPolicy(policy, upload(JSON.stringify({ apps: { layer4: { servers } } })));
    };
    expect((await over("stalwart:25", "stalwart:443")).violations).toHaveLength(1);
    expect(await over("stalwart:25", "stalwart:8080")).toMatchObject(PASSED);
    expect(await over("{env.MAIL}:25", "{env.MAIL}:443")).toMatchObject(PASSED);
  });

  test("the same in a Caddyfile", async () => {
    const good = ":25 {\n route {\n proxy {\n proxy_protocol v2\n upstream stalwart:25\n }\n }\n }";
    expect(await caddyfile(good)).toMatchObject(PASSED);
    expect(await caddyfile(":5432 {\n @p postgres\n route @p {\n proxy db:5432\n }\n }")).toMatchObject(
      PASSED,
    );
  });
});

describe("edge-sends-proxy-protocol over a stack", () => {
  const settings = (more: object = {}): TestResource => ({
    type: "tailwart:mail:Settings",
    name: "settings",
    props: {
      target: { container: "stalwart", dockerHost: "unix:///d" },
      settings: {
        "server.listener.web.bind": "0.0.0.0:8443",
        "server.listener.web.proxy.trusted-networks.0000": "100.64.0.0/10",
        "server.listener.admin.bind": "0.0.0.0:8080",
        ...more,
      },
    },
  });
  const edge = upload(config([":443"], { ...sni("m.example.org"), handle: [proxy("stalwart:8443", {})] }));

  test("refuses a route to a port on which the stack's settings demand the header", async () => {
    expect(await runPolicy(policy, edge)).toMatchObject(PASSED);
    const { violations } = await runStackPolicy(policy, [edge, settings()]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${PLACE}.handle[0] ${NO_HEADER}`);
  });

  test("refuses a route by SNI to the host that tailwart's edge names", async () => {
    const route = upload(
      config([":443"], { ...sni("m.example.org"), handle: [proxy("s.example.ts.net:443", {})] }),
    );
    const component = {
      type: "tailwart:mail:CaddyEdge",
      name: "own",
      props: { upstreamHost: "s.example.ts.net" },
    };
    expect((await runStackPolicy(policy, [route, component])).violations).toHaveLength(1);
    expect(await runStackPolicy(policy, [route])).toMatchObject(PASSED);
  });

  test("leaves other ports, and other hosts, alone", async () => {
    const admin = upload(config([":8080"], { handle: [proxy("stalwart:8080", {})] }));
    const other = upload(
      config([":443"], { ...sni("m.example.org"), handle: [proxy("web:8443", {})] }),
      "other",
    );
    expect(await runStackPolicy(policy, [admin, other, settings()])).toMatchObject(PASSED);
  });

  test("does not report again what one resource shows by itself", async () => {
    const alone = upload(config([":25"], { handle: [proxy("stalwart:25", {})] }));
    expect(await runStackPolicy(policy, [alone, settings()])).toMatchObject(PASSED);
    expect((await runStackPolicy(policy, [settings()])).notApplicable).toBe("no Caddy config is in it");
  });
});

describe("edge-sends-proxy-protocol and what a variable stands for", () => {
  const run = (server: string, envs: unknown[] = []): Promise<Outcome> =>
    runPolicy(policy, {
      type: CONTAINER,
      props: {
        envs,
        uploads: [{ file: "/etc/caddy/Caddyfile", content: `{\n layer4 {\n ${server}\n }\n}\n` }],
      },
    });
  const server = (listen: string, dial: string): string => `${listen} {\n route {\n proxy ${dial}\n }\n }`;

  test.each([
    ["a listener by its default", server(":{$SMTP:25}", "stalwart:2525"), []],
    ["a listener from the container", server(":{$SMTP}", "stalwart:2525"), ["SMTP=25"]],
    ["an upstream's port", server(":2525", "stalwart:{$SMTP:25}"), []],
    ["a whole upstream", server(":2525", "{$MAIL}"), ["MAIL=stalwart:25"]],
    ["an upstream that is filled in at start", server(":2525", "{env.MAIL}:25"), ["MAIL=stalwart"]],
    ["the version", server(":25", "stalwart:25 {\n proxy_protocol {$PROXY:v1}\n }"), []],
    ["lines that are one variable", "{$SERVERS}", [`SERVERS=${server(":25", "stalwart:25")}`]],
    ["a listener on an unknown port of any address", server(":{$SMTP}", "stalwart:25"), []],
  ])("refuses %s", async (_, text, envs) => {
    expect((await run(text, envs)).violations).toHaveLength(1);
  });

  test.each([
    ["an upstream's port", server(":2525", "stalwart:{$SMTP}"), [], "{$SMTP}"],
    ["a whole upstream", server(":2525", "{$MAIL}"), [], "{$MAIL}"],
    ["a listener", server("{$LISTEN}", "stalwart:2525"), [], "{$LISTEN}"],
    ["a default, since the variable may yet be set", server(":{$SMTP:25}", "a:1"), [UNKNOWN], "{$SMTP}"],
    [
      "the host on :443, beside mail",
      `:25 {\n route {\n proxy {$MAIL}:25 {\n proxy_protocol v2\n }\n }\n }\n :443 {\n @a tls sni a.example.org\n route @a {\n proxy {file./host}:443\n }\n }\n :24 {\n route {\n proxy a:24 {\n proxy_protocol v2\n }\n }\n }`,
      [],
      "{file./host}",
    ],
  ] as [string, string, unknown[], string][])("does not judge %s", async (_, text, envs, placeholder) => {
    const { violations, notJudged } = await run(text, envs);
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toContain(`${placeholder} stands for a value that is only known where Caddy runs`);
  });

  test("leaves alone an unknown upstream that gets the header, or is another's by its port", async () => {
    const sent = server(":2525", "{$MAIL} {\n proxy_protocol v2\n }");
    expect(await run(sent)).toMatchObject(PASSED);
    expect(await run(server(":8443", "{$WEB}:8443"))).toMatchObject(PASSED);
  });
});

describe("edge-sends-proxy-protocol and a hop that ends at Caddy's own listener", () => {
  const hop = (listen: string, dial: string, version: string): string =>
    `${listen} {\n route {\n tls\n proxy {\n ${version}\n upstream ${dial}\n }\n }\n }\n`;
  const reader = (listen: string, first = "proxy_protocol"): string =>
    `${listen} {\n route {\n ${first}\n proxy {\n proxy_protocol v2\n upstream 10.20.0.12:1143\n }\n }\n }\n`;
  const V1 = "proxy_protocol v1";

  test.each([
    ["by loopback's name", hop(":993", "localhost:143", V1) + reader(":143")],
    ["by its address", hop(":993", "127.0.0.1:143", V1) + reader("127.0.0.1:143")],
    ["by IPv6's loopback", hop(":993", "[::1]:143", V1) + reader("[::1]:143")],
    ["at the address of one interface", hop(":993", "10.0.0.1:143", V1) + reader("10.0.0.1:143")],
    ["within a range of ports", hop(":993", "localhost:143", V1) + reader(":140-150")],
    [
      "with limits to whom it believes",
      hop(":993", "localhost:143", V1) + reader(":143", "proxy_protocol {\n allow 127.0.0.1/8\n }"),
    ],
    [
      "in a subroute",
      hop(":993", "localhost:143", V1) + reader(":143", "subroute {\n route {\n proxy_protocol\n }\n }"),
    ],
  ])("leaves alone version 1 %s", async (_, servers) => {
    expect(await caddyfile(servers)).toMatchObject(PASSED);
  });

  test.each([
    ["nothing at all there", hop(":993", "localhost:143", V1)],
    ["a listener there that does not read it", hop(":993", "localhost:143", V1) + reader(":143", "throttle")],
    ["another machine's", hop(":993", "10.0.0.2:143", V1) + reader(":143")],
    ["another port's", hop(":993", "localhost:143", V1) + reader(":144")],
    ["one of two upstreams", hop(":993", "localhost:143 10.0.0.2:143", V1) + reader(":143")],
    ["no header", hop(":993", "localhost:143", "lb_try_duration 1s") + reader(":143")],
    ["the second hop", hop(":993", "localhost:143", V1) + reader(":143").replace("v2", "v1")],
  ])("refuses %s", async (_, servers) => {
    expect((await caddyfile(servers)).violations).toHaveLength(1);
  });

  test("takes a name of mail's that the http app answers on loopback for none of the mail server's", async () => {
    const content =
      "{\n default_bind 127.0.0.1\n layer4 {\n :443 {\n @a tls sni mta-sts.example.org\n route @a {\n proxy 127.0.0.1:443\n }\n }\n }\n}\nmta-sts.example.org {\n respond ok\n}\n";
    const props = { uploads: [{ file: "/etc/caddy/Caddyfile", content }] };
    expect(await runPolicy(policy, { type: CONTAINER, props })).toMatchObject(PASSED);
  });
});

describe("edge-sends-proxy-protocol and a Caddy that is driven by labels", () => {
  const run = (labels: Record<string, unknown>): Promise<Outcome> =>
    runPolicy(policy, {
      type: CONTAINER,
      props: { name: "mail", labels: Object.entries(labels).map(([label, value]) => ({ label, value })) },
    });
  const V1 = { "caddy.layer4.:25.route.proxy.proxy_protocol": "v1" };

  test.each([
    ["the container itself", { "caddy.layer4.:25.route.proxy": "{{upstreams 25}}" }],
    ["its name", { "caddy.layer4.:2525.route.proxy": "mail:25" }],
    ["upstreams in lines", { "caddy.layer4.:2525.route.proxy.upstream": "{{ upstreams 25 }}" }],
    ["a header of version 1", { "caddy.layer4.:25.route.proxy": "{{upstreams 25}}", ...V1 }],
    [
      "a numbered block",
      { "caddy_3.layer4.:465.0_route": "", "caddy_3.layer4.:465.0_route.1_proxy": "mail:1465" },
    ],
    ["an address with dots", { "caddy.layer4.203\\.0\\.113\\.5:25.route.proxy": "mail:2525" }],
    [
      "a listener wrapper",
      {
        "caddy.servers.listener_wrappers.layer4.@m": "tls sni mta-sts.example.org",
        "caddy.servers.listener_wrappers.layer4.route": "@m",
        "caddy.servers.listener_wrappers.layer4.route.proxy": "{{upstreams 443}}",
        caddy_1: "www.example.org",
        "caddy_1.respond": "ok",
      },
    ],
  ])("refuses %s", async (_, labels) => {
    const { violations } = await run(labels);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("labels (caddy");
  });

  test.each([
    [
      "version 2",
      {
        "caddy.layer4.:25.route.proxy": "{{upstreams 25}}",
        "caddy.layer4.:25.route.proxy.proxy_protocol": "v2",
      },
    ],
    ["a site alone", { caddy: "mail.example.org", "caddy.reverse_proxy": "{{upstreams 8080}}" }],
    ["options alone", { "caddy.email": "ops@example.org" }],
  ])("leaves %s alone", async (_, labels) => {
    expect(await run(labels)).toMatchObject(PASSED);
  });

  test("does not judge a label that is unknown, nor a template that another program fills in", async () => {
    const unknown = await run({ "caddy.layer4.:25.route": "", "caddy.layer4.:25.route.proxy": UNKNOWN });
    expect(unknown.notJudged).toEqual(["labels[1].value: unknown until the update"]);
    const template = await run({ "caddy.layer4.:2525.route.proxy": '{{ index . "upstream" }}' });
    expect(template.notJudged).toHaveLength(1);
  });

  test("has nothing to do with other labels", async () => {
    expect((await run({ "traefik.enable": "true", "caddyshack.a": "b" })).notApplicable).toBeDefined();
  });
});

describe("edge-sends-proxy-protocol and names by a regular expression", () => {
  const server = (pattern: string): string =>
    `:443 {\n @a tls sni_regexp \`${pattern}\`\n route @a {\n proxy 10.20.0.12:443\n }\n }\n`;

  test.each(["^(mail|mta-sts)\\.example\\.org$", "^autoconfig[.]", "autodiscover"])(
    "refuses %s, which spells out a service of mail",
    async (pattern) => {
      expect((await caddyfile(server(pattern))).violations).toHaveLength(1);
    },
  );

  test.each(["^(www|cloud)\\.example\\.org$", "^my-autoconfig\\.", "^mail\\."])(
    "leaves %s alone, which may be a web server's",
    async (pattern) => {
      expect(await caddyfile(server(pattern))).toMatchObject(PASSED);
    },
  );

  test("refuses any, where the same host takes mail", async () => {
    const mail = ":25 {\n route {\n proxy 10.20.0.12:25 {\n proxy_protocol v2\n }\n }\n }\n";
    expect((await caddyfile(server("^mail\\.") + mail)).violations).toHaveLength(1);
  });
});

describe("edge-sends-proxy-protocol reads a Caddyfile despite", () => {
  const MAIL = "{\n layer4 {\n :25 {\n route {\n proxy stalwart:25\n }\n }\n }\n}\n";
  const run = (sites: string, file = "/etc/caddy/Caddyfile"): Promise<Outcome> =>
    runPolicy(policy, { type: CONTAINER, props: { uploads: [{ file, content: `${MAIL}${sites}` }] } });

  test.each([
    ["a name of one label", "nas {\n reverse_proxy a:80\n}"],
    ["one with a port, and one with a scheme", "nas:8080, http://printer {\n respond ok\n}"],
    ["every name", "* {\n respond ok\n}\nhttps:// {\n respond ok\n}"],
    ["a name of another script", "bücher.example, 例え.example:443 {\n respond ok\n}"],
    ["a path", "example.org/files* {\n respond ok\n}"],
    ["a port in two parts", ":8{$REST} {\n respond ok\n}"],
    ["no site at all", ""],
    ["a snippet that is given lines", "(s) {\n nas {\n {block}\n }\n}\nimport s {\n respond ok\n}"],
  ])("%s", async (_, sites) => {
    const { violations, notJudged } = await run(sites);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("line 5 (proxy stalwart:25)");
    expect(notJudged.filter((gap) => !gap.includes("{$REST}"))).toEqual([]);
  });

  test("a name of one label in a file that is named otherwise", async () => {
    expect((await run("nas {\n respond ok\n}", "/config")).violations).toHaveLength(1);
  });

  const GAP = "uploads[0].content (/etc/caddy/Caddyfile) line 10:";
  test.each([
    [
      "something that is no address",
      "wss://a.example.org {\n}\nb.example.org {\n}",
      `${GAP} has something in place of a site's address that is none`,
    ],
    [
      "a matcher outside of a site",
      "@a path /x\nb.example.org {\n}",
      `${GAP} @a is a matcher, which has to stand in a site`,
    ],
    [
      "a second block of options",
      "{\n debug\n}\nb.example.org {\n}",
      `${GAP} is a second block of global options`,
    ],
    [
      "a variable that stands for lines",
      "{$MORE_SITES}\nb.example.org {\n}",
      `${GAP} {$MORE_SITES} stands for a value that is only known where Caddy runs`,
    ],
    [
      "a file that is imported",
      "import sites/*\nb.example.org {\n}",
      `${GAP} imports a file, which is not read`,
    ],
  ])("%s, and says in which line", async (_, sites, gap) => {
    const { violations, notJudged } = await run(sites);
    expect(violations).toHaveLength(1);
    expect(notJudged).toEqual([gap]);
  });

  test.each([
    ["a block that does not end", "nas {\n respond ok\n", "the block of line 10 does not end"],
    ["a brace too many", "nas {\n respond ok\n}\n}\n", "no block is open that the } of line 13 could end"],
    ["quotes that do not end", 'nas {\n respond "ok\n}\n', "the quotes of line 11 do not end"],
    ["a text that does not end", "nas {\n respond <<END\n}\n", "the text <<END of line 11 does not end"],
  ])("not %s, and says in which line", async (_, sites, reason) => {
    expect((await run(sites)).notJudged).toEqual([
      `uploads[0].content (/etc/caddy/Caddyfile): cannot be read as a Caddyfile or as Caddy's JSON: ${reason}`,
    ]);
  });
});

describe("edge-sends-proxy-protocol and a part that is sent to Caddy's admin API", () => {
  const API = "http://127.0.0.1:2019/config/apps/layer4";
  const run = (create: string): Promise<Outcome> =>
    runPolicy(policy, { type: "command:remote:Command", props: { connection: { host: "a" }, create } });
  const route = JSON.stringify({ handle: [proxy("stalwart:25", {})] });
  const server = `{"listen": [":25"], "routes": [${route}]}`;

  test.each([
    ["a server", `curl -X PUT ${API}/servers/smtp -d '${server}'`],
    ["all servers", `curl -X POST ${API}/servers --json '{"smtp": ${server}}'`],
    ["the app", `curl --data-binary '{"servers": {"smtp": ${server}}}' -X POST ${API}`],
    ["one route of a list", `curl -X POST ${API}/servers/smtp/routes -d '${route}'`],
    ["a route by its number", `curl -X PATCH '${API}/servers/smtp/routes/0' -d '${route}'`],
    ["several routes at once", `curl -X POST ${API}/servers/smtp/routes/... -d '[${route}]'`],
    [
      "a handler",
      `curl -X PUT ${API}/servers/smtp/routes/0/handle/0 -d '${JSON.stringify(proxy("a:25", {}))}'`,
    ],
    [
      "a listener, and then its routes",
      `curl ${API}/servers/s/listen -d '[":25"]'\ncurl ${API}/servers/s/routes -d '[{"handle":[${JSON.stringify(proxy("a:1", {}))}]}]'`,
    ],
    ["a here-document", `curl -sf ${API}/servers/smtp \\\n --data-binary @- <<'EOF'\n${server}\nEOF\n`],
    ["a pipe", `echo '${server}' | curl -X PUT ${API}/servers/smtp -d @-`],
    [
      "words in double quotes",
      `curl -X PUT "$CADDY/config/apps/layer4/servers/smtp" -d ${JSON.stringify(server)}`,
    ],
    ["wget", `wget -qO- --post-data='${server}' ${API}/servers/smtp`],
    [
      "a socket",
      `curl --unix-socket /run/caddy.sock http://localhost/config/apps/layer4/servers/smtp -d '${server}'`,
    ],
    ["a shell of another machine", `ssh edge <<'END'\ncurl ${API}/servers/smtp -d '${server}'\nEND`],
  ])("refuses %s", async (_, create) => {
    const { violations } = await run(create);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("passes mail on with no PROXY header");
  });

  test("refuses one in a script that is uploaded", async () => {
    const content = `#!/bin/sh\nset -e\ncurl -X PUT ${API}/servers/smtp -d '${server}'\n`;
    const props = { uploads: [{ file: "/setup.sh", content }] };
    expect((await runPolicy(policy, { type: CONTAINER, props })).violations).toHaveLength(1);
  });

  test("says that a part may listen where another says", async () => {
    const sent = JSON.stringify({ handle: [proxy("stalwart:25")] });
    const outcome = await run(`curl ${API}/servers/smtp/routes -d '${sent}'`);
    expect(outcome).toMatchObject({
      violations: [],
      notJudged: ["create apps.layer4.servers.smtp: listens where another part says"],
    });
  });

  test.each([
    ["a file", `curl -X PUT ${API}/servers/smtp -d @smtp.json`],
    ["the output of a command", `jq .servers.smtp c.json | curl -X PUT ${API}/servers/smtp -d @-`],
    ["a file by redirection", `http PUT :2019/config/apps/layer4/servers/smtp < smtp.json`],
    ["a variable", `curl -X PUT ${API}/servers/smtp -d "$SERVER"`],
    ["what has an @id", `curl -X PATCH http://127.0.0.1:2019/id/smtp -d '${server}'`],
    ["another program", `python3 -c 'import requests\nrequests.put("${API}/servers/smtp", json=smtp)'`],
  ])("does not judge %s", async (_, create) => {
    const { violations, notJudged } = await run(create);
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toContain("sends a part of Caddy's config that is not in this text");
  });

  test("says that a script which is nested too deep may send one", async () => {
    const { notJudged } = await run(`${"$(".repeat(20_000)} curl ${API}/servers/smtp -d '${server}'`);
    expect(notJudged).toEqual([expect.stringContaining("sends a part of Caddy's config")]);
  });

  test.each([
    ["what is read", `curl -sf ${API}/servers | jq .`],
    ["what is removed", `curl -X DELETE ${API}/servers/smtp`],
    ["another API", `curl -X POST https://api.example.org/id/42 -d '{"a": 1}' # apps`],
    [
      "a part with the header",
      `curl -X PUT ${API}/servers/smtp -d '${server.replace('"handler"', '"proxy_protocol":"v2","handler"')}'`,
    ],
  ])("leaves %s alone", async (_, create) => {
    expect(await run(create)).toMatchObject(PASSED);
  });
});

describe("edge-sends-proxy-protocol lists as not judged a config that lies elsewhere", () => {
  const of = (type: string, props: object): Promise<Outcome> => runPolicy(policy, { type, props });
  const target = "/etc/caddy/Caddyfile";
  const from = "comes from the host or a volume, which is not read here";

  test.each([
    [
      "a file of the host",
      { volumes: [{ hostPath: "/srv/Caddyfile", containerPath: target }] },
      `volumes[0].hostPath: Caddy's config ${target} ${from}`,
    ],
    [
      "a folder of the host",
      { volumes: [{ hostPath: "/srv/caddy", containerPath: "/etc/caddy" }] },
      `volumes[0].hostPath: Caddy's config /etc/caddy ${from}`,
    ],
    [
      "a volume",
      { volumes: [{ volumeName: "etc", containerPath: "/etc/caddy/" }] },
      `volumes[0].volumeName: Caddy's config /etc/caddy/ ${from}`,
    ],
    [
      "a mount",
      { mounts: [{ type: "bind", source: "/srv/caddy.json", target: "/caddy.json" }] },
      `mounts[0].source: Caddy's config /caddy.json ${from}`,
    ],
    [
      "one that is unknown",
      { volumes: [{ hostPath: UNKNOWN, containerPath: target }] },
      `volumes[0].hostPath: Caddy's config ${target} ${from}`,
    ],
  ])("in %s", async (_, props, gap) => {
    expect(await of(CONTAINER, props)).toMatchObject({ violations: [], notJudged: [gap] });
  });

  test("that is copied to a machine", async () => {
    const outcome = await of("command:remote:CopyFile", {
      localPath: "./Caddyfile",
      remotePath: `/srv${target}`,
    });
    expect(outcome.notJudged).toEqual([
      `localPath: Caddy's config /srv${target} is copied from a local file, which is not read here`,
    ]);
    const other = await of("command:remote:CopyFile", {
      localPath: "./caddy.png",
      remotePath: "/srv/caddy.png",
    });
    expect(other.notApplicable).toBe("no Caddy config is in it");
  });

  test.each([
    ["Caddy's data", { volumes: [{ volumeName: "data", containerPath: "/data" }], image: "caddy:2" }],
    ["another program's config", { volumes: [{ hostPath: "/srv/caddy", containerPath: "/etc/nginx" }] }],
    [
      "what tailwart's own edge is given",
      {
        volumes: [{ volumeName: "edge", containerPath: "/etc/caddy" }],
        labels: [{ label: "tailwart.role", value: "edge" }],
      },
    ],
  ])("and not %s", async (_, props) => {
    expect((await of(CONTAINER, props)).notApplicable).toBe("no Caddy config is in it");
  });
});

describe("edge-sends-proxy-protocol lists as not judged", () => {
  test("a placeholder for the version", async () => {
    const route = { handle: [proxy("stalwart:25", { proxy_protocol: "{env.PROXY}" })] };
    const outcome = await judge([":25"], route);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual([
      `${PLACE}.handle[0]: proxy_protocol is a placeholder, which is filled in at start`,
    ]);
  });

  test("a placeholder at a port that only the stack's settings tell of", async () => {
    const route = {
      ...sni("m.example.org"),
      handle: [proxy("stalwart:8443", { proxy_protocol: "{env.PROXY}" })],
    };
    const stalwart = {
      type: "tailwart:mail:Settings",
      name: "settings",
      props: {
        target: { container: "stalwart" },
        settings: {
          "server.listener.web.bind": "0.0.0.0:8443",
          "server.listener.web.proxy.trusted-networks.0000": "100.64.0.0/10",
        },
      },
    };
    const listed = [`${PLACE}.handle[0]: proxy_protocol is a placeholder, which is filled in at start`];
    const edge = upload(config([":443"], route));
    expect(await runPolicy(policy, edge)).toMatchObject(PASSED);
    expect(await runStackPolicy(policy, [edge, stalwart])).toEqual({ violations: [], notJudged: listed });
    // What the resource shows by itself is not listed again.
    const alone = upload(config([":25"], route));
    expect((await runPolicy(policy, alone)).notJudged).toEqual(listed);
    expect(await runStackPolicy(policy, [alone, stalwart])).toEqual(PASSED);
  });

  test("an unknown config, while it judges the known one", async () => {
    const content = config([":25"], { handle: [proxy("stalwart:25", {})] });
    const uploads = [
      { file: "/etc/caddy/a.json", content: UNKNOWN },
      { file: "/etc/caddy/b.json", content },
    ];
    const outcome = await runPolicy(policy, { type: CONTAINER, props: { uploads, envs: UNKNOWN_LIST } });
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(["uploads[0].content: unknown until the update"]);
  });
});

test("edge-sends-proxy-protocol does not concern resources without a Caddy config", async () => {
  const outcome = await runPolicy(policy, { type: CONTAINER, props: { image: "caddy:2" } });
  expect(outcome.notApplicable).toBe("no Caddy config is in it");
});
