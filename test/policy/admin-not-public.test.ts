import { describe, expect, test } from "vitest";
import { toFileKeys } from "../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import { renderConfigToml } from "../../lib/stalwart/config-toml.ts";
import { adminNotPublic as policy } from "../../policies/rules/admin-not-public.ts";
import { desired } from "../unit/lib/desired-state/desired.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type TestResource,
} from "./harness.ts";
import { CONTAINER, keys, resource } from "./resources.ts";

const NOT_PUBLIC = "it declares no HTTP listener of Stalwart that is public";

/** A listener's keys, and any others. */
const listener = (name: string, bind: unknown, more: object = {}) => ({
  [`server.listener.${name}.bind`]: bind,
  [`server.listener.${name}.protocol`]: "http",
  ...more,
});
const https = listener("https", "[::]:443");
const withRules = (rules: object, listeners: object = https) => keys(rules, listeners);
/** An if-block at http.allowed-endpoint. */
const block = (otherwise: unknown, ...rules: [condition: unknown, then: unknown][]) => ({
  ...Object.assign(
    {},
    ...rules.map(([condition, then], i) => ({
      [`http.allowed-endpoint.000${i}.if`]: condition,
      [`http.allowed-endpoint.000${i}.then`]: then,
    })),
  ),
  [`http.allowed-endpoint.000${rules.length}.else`]: otherwise,
});
const MAIL_ONLY = "matches('^/(jmap|dav|[.]well-known|auth)(/|$)', url_path)";

const registry = (objects: unknown) => resource("tailwart:mail:Registry", "registry", { objects });
const row = (bind: string, more: object = {}) => ({
  "NetworkListener/web": { name: "web", protocol: "http", bind: { [bind]: true }, ...more },
});
const container = (props: object) => resource(CONTAINER, "stalwart", props);
const toml = (content: unknown, file = "/etc/stalwart/config.toml") =>
  container({
    uploads: [
      { file: "/etc/motd", content: "listener" },
      { file, content },
    ],
  });

describe("admin-not-public refuses a public listener", () => {
  test("that answers management, and says where, which paths, why and what to write instead", async () => {
    const { violations, notJudged } = await runPolicy(policy, withRules({}));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^fileSettings\["server\.listener\.https\.bind"\] answers \/api\/principal, \/api\/settings\/list, \/api\/schema, \/admin\/, \/login, \/metrics\/prometheus on port 443, which is public\.\n {2}why: every HTTP listener/,
    );
    expect(violations[0]).toMatch(/instead: http\.allowed-endpoint .*404 for everything else/);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["on port 80", withRules({}, listener("web", "0.0.0.0:80")), "on port 80,"],
    [
      "on another address beside loopback",
      withRules(
        {},
        {
          ...https,
          "server.listener.https.bind": "127.0.0.1:443",
          "server.listener.https.bind.1": "0.0.0.0:443",
        },
      ),
      "on port 443,",
    ],
    [
      "behind an edge's PROXY headers, whatever its port",
      withRules(
        {},
        listener("web", "[::]:8443", { "server.listener.web.proxy.trusted-networks.0000": "10.0.0.1" }),
      ),
      "on port 8443,",
    ],
    [
      "behind PROXY headers that the whole server takes",
      withRules({}, listener("web", "[::]:8081", { "server.proxy.trusted-networks": "10.0.0.1" })),
      "on port 8081,",
    ],
    ["with everything open by one value", withRules({ "http.allowed-endpoint": "200" }), "/api/principal"],
    ["with everything open in words", withRules({ "http.allowed-endpoint": "'200'" }), "/api/principal"],
    ["with a rule that opens everything", withRules(block("404", ["true", "200"])), "/api/principal"],
    [
      "with rules that close the API alone",
      withRules(block("200", ["starts_with(url_path, '/api')", "404"])),
      "answers /admin/, /login, /metrics/prometheus on",
    ],
    [
      "with rules that close the API on another listener",
      withRules(block("200", ["listener == 'web' && starts_with(url_path, '/')", "404"])),
      "/api/principal",
    ],
    [
      "with rules that open it on this one",
      withRules(block("404", ["listener == 'https'", "200"])),
      "/api/principal",
    ],
    [
      "with rules that open it on its port",
      withRules(block("404", ["local_port == 443 && protocol == 'https' && is_tls", "200"])),
      "/api/principal",
    ],
    [
      "with rules that open it to a method and a URL",
      withRules(block("404", ["method == 'GET' && starts_with(url, '/admin')", "200"])),
      "answers /admin/ on",
    ],
    [
      "with rules that Stalwart cannot read, and so leaves out",
      withRules({ "http.allowed-endpoint.0000.then": "404" }),
      "/api/principal",
    ],
    ["of a registry that says nothing of paths", registry(row("[::]:443")), "on port 443,"],
    [
      "of a registry that has no rules",
      registry({ ...row("[::]:443"), Http: { useXForwarded: false } }),
      "/login",
    ],
    [
      "of a registry whose rules close another path",
      registry({
        ...row("0.0.0.0:8443", { overrideProxyTrustedNetworks: { "10.0.0.1": true } }),
        Http: { allowedEndpoints: { match: { "0": { if: "path == '/login'", then: "404" } }, else: "200" } },
      }),
      "answers /api/principal, /api/settings/list, /api/schema, /admin/, /metrics/prometheus on port 8443,",
    ],
    [
      "of a registry that takes PROXY headers as a whole",
      registry({ ...row("0.0.0.0:8444"), SystemSettings: { proxyTrustedNetworks: { "10.0.0.1": true } } }),
      "on port 8444,",
    ],
    [
      "in a config file",
      toml('[server.listener.web]\nbind = ["[::]:443"]\nprotocol = "http"\n'),
      "uploads[1].content (/etc/stalwart/config.toml) server.listener.web.bind.0000 answers /api/principal",
    ],
    [
      "in a config file whose rules are a list of tables",
      toml(
        'server.listener.web.bind = "[::]:443"\nserver.listener.web.protocol = "http"\n[http]\nallowed-endpoint = [ {if = "starts_with(url_path, \'/api\')", then = "404"}, {else = "200"} ]\n',
      ),
      "answers /admin/, /login, /metrics/prometheus on port 443",
    ],
    [
      "in a config file in base64",
      container({
        uploads: [
          {
            file: "/opt/config.toml",
            contentBase64: Buffer.from('[server.listener.w]\nbind = ":443"\nprotocol = "http"\n').toString(
              "base64",
            ),
          },
        ],
      }),
      "uploads[0].content (/opt/config.toml) server.listener.w.bind answers",
    ],
  ])("%s", async (_, resource, words) => {
    const { violations, notJudged } = await runPolicy(policy, resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(words);
    expect(notJudged).toEqual([]);
  });
});

describe("admin-not-public passes", () => {
  const settings = parseSettings({
    ...desired,
    accounts: [],
    listeners: [
      { name: "https", protocol: "http", port: 443, implicitTls: true },
      { name: "admin", protocol: "http", port: 8080, proxy: false, management: true },
    ],
  });
  test.each([
    ["tailwart's own settings", keys({}, toFileKeys(settings))],
    ["tailwart's own registry", registry(toRegistryObjects(settings))],
    ["tailwart's own config file", toml(renderConfigToml(settings))],
    ["an allow-list of paths", withRules(block("404", [MAIL_ONLY, "200"]))],
    [
      "a deny-list that has all of it",
      withRules(block("200", ["matches('^/(api|admin|login|metrics)', url_path)", "403"])),
    ],
    ["a server that answers nothing over HTTP", withRules({ "http.allowed-endpoint": "404" })],
    [
      "a registry's order by number",
      registry({
        ...row("[::]:443"),
        Http: {
          allowedEndpoints: {
            match: { "10": { if: "true", then: "200" }, "9": { if: "true", then: "404" } },
            else: "200",
          },
        },
      }),
    ],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });

  test.each([
    ["no listener", keys({ "queue.strategy.route": "'local'" })],
    ["no HTTP listener", keys({}, { ...https, "server.listener.https.protocol": "imap" })],
    ["an HTTP listener on another port", withRules({}, listener("admin", "0.0.0.0:8080"))],
    ["one on loopback alone", withRules({}, listener("web", "127.0.0.1:443"))],
    ["one without a port", withRules({}, listener("web", "[::]"))],
    ["no listener of the registry", registry({ Http: { useXForwarded: true } })],
    [
      "what is no listener of the registry",
      registry({ "MtaHook/web": { protocol: "http", bind: { "[::]:443": true } } }),
    ],
    ["no HTTP listener of the registry", registry(row("[::]:443", { protocol: "imap" }))],
    ["an admin listener of the registry", registry(row("[::]:8080", { overrideProxyTrustedNetworks: {} }))],
    ["a file of another program", toml('[server.http]\nlistener = "[::]:443"\n', "/etc/other.toml")],
    ["a file that is no TOML", toml("[server.listener\n")],
    [
      "a text that is no config",
      toml('[server.listener.web]\nbind = ":443"\nprotocol = "http"\n', "/etc/notes.md"),
    ],
    ["a container without files", container({ image: "registry.test/web@sha256:0" })],
  ])("over %s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual({
      ...PASSED,
      notApplicable: expect.stringContaining(NOT_PUBLIC) as string,
    });
  });
});

describe("admin-not-public lists as not judged", () => {
  const rules = 'whether it closes management on listener "https" cannot be told before the update';
  test.each([
    ["unknown settings", keys({}, UNKNOWN_OBJECT), "fileSettings: unknown until the update"],
    [
      "an unknown address",
      keys({}, listener("https", UNKNOWN)),
      'fileSettings["server.listener.https.bind"]: unknown until the update',
    ],
    [
      "an unknown protocol",
      keys({}, { ...https, "server.listener.https.protocol": UNKNOWN }),
      'fileSettings["server.listener.https.protocol"]: unknown until the update',
    ],
    ["unknown rules", withRules({ "http.allowed-endpoint": UNKNOWN }), `http.allowed-endpoint: ${rules}`],
    ["an unknown condition", withRules(block("404", [UNKNOWN, "200"])), `http.allowed-endpoint: ${rules}`],
    ["an unknown status", withRules(block("404", ["true", UNKNOWN])), `http.allowed-endpoint: ${rules}`],
    [
      "what holds for some addresses",
      withRules(block("404", ["remote_ip == '192.0.2.1'", "200"])),
      `http.allowed-endpoint: ${rules}`,
    ],
    [
      "a status that is worked out",
      withRules({ "http.allowed-endpoint": "key_get('a', url_path)" }),
      `http.allowed-endpoint: ${rules}`,
    ],
    ["an unknown registry", registry(UNKNOWN_OBJECT), "objects: unknown until the update"],
    [
      "an unknown listener of the registry",
      registry({ "NetworkListener/web": { protocol: UNKNOWN, bind: { "[::]:443": true } } }),
      'objects["NetworkListener/web"]: unknown until the update',
    ],
    [
      "an unknown address of the registry",
      registry({ "NetworkListener/web": { protocol: "http", bind: UNKNOWN_OBJECT } }),
      'objects["NetworkListener/web"]: unknown until the update',
    ],
    [
      "unknown rules of the registry",
      registry({ ...row("[::]:443"), Http: { allowedEndpoints: UNKNOWN_OBJECT } }),
      `objects.Http.allowedEndpoints: ${rules.replace("https", "web")}`,
    ],
    [
      "an unknown condition of the registry",
      registry({
        ...row("[::]:443"),
        Http: { allowedEndpoints: { match: { "0": { if: UNKNOWN, then: "200" } }, else: "404" } },
      }),
      `objects.Http.allowedEndpoints: ${rules.replace("https", "web")}`,
    ],
    [
      "an unknown last status of the registry",
      registry({ ...row("[::]:443"), Http: { allowedEndpoints: { match: {}, else: UNKNOWN } } }),
      `objects.Http.allowedEndpoints: ${rules.replace("https", "web")}`,
    ],
    [
      "an unknown config file of Stalwart",
      toml(UNKNOWN),
      "uploads[1].content (/etc/stalwart/config.toml): unknown until the update",
    ],
    [
      "an unknown port of Stalwart's container",
      container({ image: "stalwartlabs/stalwart:v0.15.5", ports: [{ internal: UNKNOWN, external: 1 }] }),
      "ports[0]: unknown until the update",
    ],
    [
      "an unknown address of a published port",
      container({ image: "stalwartlabs/stalwart:v0.15.5", ports: [{ internal: 8080, ip: UNKNOWN }] }),
      "ports[0]: unknown until the update",
    ],
    [
      "unknown ports of Stalwart's container",
      container({ image: "stalwartlabs/stalwart:v0.15.5", ports: UNKNOWN_LIST }),
      "ports: unknown until the update",
    ],
  ])("%s", async (_, resource, line) => {
    expect(await runPolicy(policy, resource)).toEqual({ violations: [], notJudged: [line] });
  });

  test("nothing of another program's unknown config file", async () => {
    const outcome = await runPolicy(policy, toml(UNKNOWN, "/etc/traefik/traefik.toml"));
    expect(outcome.notJudged).toEqual([]);
  });
});

describe("a container of Stalwart is refused", () => {
  const image = "ghcr.io/stalwartlabs/stalwart:v0.16@sha256:0";
  test.each([
    [
      "that publishes the admin port",
      { image, ports: [{ internal: 443 }, { internal: 8080, external: 8080 }] },
      "ports[1]",
    ],
    ["that publishes it on one address", { image, ports: [{ internal: 8080, ip: "0.0.0.0" }] }, "ports[0]"],
    ["that publishes every port", { image, publishAllPorts: true }, "publishAllPorts"],
  ])("%s", async (_, props, where) => {
    const { violations } = await runPolicy(policy, container(props));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${where} publishes port 8080 of Stalwart, its management, on the host.`);
    expect(violations[0]).toContain("instead: no port here, or one with the ip 127.0.0.1");
  });

  test("both for a port and for the listener in its config file", async () => {
    const file = { file: "/c.toml", content: '[server.listener.w]\nbind = ":443"\nprotocol = "http"\n' };
    const both = container({ image, ports: [{ internal: 8080 }], uploads: [file] });
    const { violations } = await runPolicy(policy, both);
    expect(violations.join("\n")).toMatch(/answers .*\n[^]*publishes port 8080/);
  });

  test("with what is not known of its ports beside what is found in its config file", async () => {
    const file = { file: "/c.toml", content: '[server.listener.w]\nbind = ":443"\nprotocol = "http"\n' };
    const both = container({ image, ports: [{ internal: UNKNOWN }], uploads: [file] });
    const { violations, notJudged } = await runPolicy(policy, both);
    expect(violations).toHaveLength(1);
    expect(notJudged).toEqual(["ports[0]: unknown until the update"]);
  });
});

test.each([
  ["on loopback", { image: "stalwartlabs/stalwart", ports: [{ internal: 8080, ip: "127.0.0.1" }] }],
  ["of another program", { image: "traefik:3", ports: [{ internal: 8080 }], publishAllPorts: true }],
  [
    "that is not the admin port",
    { image: "stalwartlabs/stalwart", ports: [{ internal: 443 }], publishAllPorts: false },
  ],
])("a published port %s passes", async (_, props) => {
  expect((await runPolicy(policy, container(props))).notApplicable).toContain(NOT_PUBLIC);
});

describe("an edge", () => {
  const caddy = (...dials: string[]): TestResource => ({
    type: "docker:index/container:Container",
    name: "edge",
    props: {
      uploads: [
        {
          file: "/etc/caddy/caddy.json",
          content: JSON.stringify({
            apps: {
              layer4: {
                servers: {
                  all: {
                    listen: [":25"],
                    routes: dials.map((dial) => ({
                      handle: [{ handler: "proxy", upstreams: [{ dial: [dial] }] }],
                    })),
                  },
                },
              },
            },
          }),
        },
      ],
    },
  });

  test("that routes to the mail server's admin port is refused", async () => {
    const { violations } = await runStackPolicy(policy, [
      caddy("stalwart.ts.net:25", "stalwart.ts.net:8080"),
    ]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^uploads\[0\]\.content \(\/etc\/caddy\/caddy\.json\) .*leads from the edge to port 8080/,
    );
    expect(violations[0]).toContain("instead: no route");
  });

  test("in a Caddyfile too", async () => {
    const content =
      "{\n\tlayer4 {\n\t\t:25 {\n\t\t\troute {\n\t\t\t\tproxy stalwart:25\n\t\t\t}\n\t\t}\n\t}\n}\nadmin.example.org {\n\treverse_proxy stalwart:8080\n}\n";
    const edge: TestResource = {
      type: "docker:index/container:Container",
      name: "edge",
      props: { uploads: [{ file: "/etc/caddy/Caddyfile", content }] },
    };
    const { violations } = await runStackPolicy(policy, [edge]);
    expect(violations).toHaveLength(1);
  });

  test.each([
    ["the same port of another host", caddy("stalwart.ts.net:25", "web.ts.net:8080")],
    ["other ports of the mail server", caddy("stalwart.ts.net:25", "stalwart.ts.net:443")],
  ])("that routes to %s passes", async (_, edge) => {
    expect(await runStackPolicy(policy, [edge])).toEqual(PASSED);
  });

  test("whose config is unknown is listed as not judged", async () => {
    const edge = container({ uploads: [{ file: "/etc/caddy/Caddyfile", content: UNKNOWN }] });
    expect((await runStackPolicy(policy, [edge])).notJudged).toEqual([
      expect.stringMatching(/^uploads\[0\]\.content.*: unknown until the update$/),
    ]);
  });

  test("that is not there is none to judge", async () => {
    const outcome = await runStackPolicy(policy, [container({ image: "stalwartlabs/stalwart" })]);
    expect(outcome.notApplicable).toBe("no Caddy config is in the stack");
  });
});
