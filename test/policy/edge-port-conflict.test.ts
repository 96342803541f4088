import { describe, expect, test } from "vitest";
import { edgePortConflict as policy } from "../../policies/rules/edge-port-conflict.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, type Outcome } from "./harness.ts";
import { base64, CONTAINER } from "./resources.ts";

const COMMAND = "command:local:Command";
const container = (props: object): Promise<Outcome> => runPolicy(policy, { type: CONTAINER, props });
const command = (props: object): Promise<Outcome> => runPolicy(policy, { type: COMMAND, props });

const route = { handle: [{ handler: "proxy", upstreams: [{ dial: ["app.example.org:443"] }] }] };
const site = { match: [{ host: ["www.example.org"] }], handle: [{ handler: "file_server" }] };
/** A config with one layer4 and one http server. */
const config = (layer4: object, http: object, app: object = {}): string =>
  JSON.stringify({
    apps: {
      layer4: { servers: { mail: { routes: [route], ...layer4 } } },
      http: { ...app, servers: { web: { routes: [site], ...http } } },
    },
  });
const json = (layer4: object, http: object, app?: object): Promise<Outcome> =>
  container({ uploads: [{ file: "/etc/caddy/caddy.json", content: config(layer4, http, app) }] });
const caddyfile = (content: string): Promise<Outcome> =>
  container({ uploads: [{ file: "/etc/caddy/Caddyfile", content }] });
const SHARED = config({ listen: [":443"] }, { listen: [":443"] });
const ON_443 = /listens on :443, where the http server .*web listens too/;

describe("edge-port-conflict refuses", () => {
  test("a layer4 server and an http server on one port, and says where, what, why and what to write instead", async () => {
    const { violations } = await json({ listen: [":25", ":443"] }, { listen: [":443"] });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail listens on :443, where the http server apps.http.servers.web listens too.",
    );
    expect(violations[0]).toMatch(/why: .*SO_REUSEPORT.*lesson 15/);
    expect(violations[0]).toMatch(/instead: .*listener_wrappers/);
  });

  test.each([
    ["spelled with the address of every host", [":443"], ["0.0.0.0:443"], /listens on :443/],
    ["with a network in front", ["tcp/:443"], ["[::]:443"], /listens on :443/],
    ["within a range", [":440-450"], [":443"], /listens on :440-450/],
    ["on one address", ["203.0.113.5:443"], ["203.0.113.5:443"], /listens on 203\.0\.113\.5:443/],
    ["on one IPv6 address", ["[2001:db8::5]:443"], ["[2001:DB8::5]:443"], /listens on \[2001:db8::5\]:443/],
    ["for HTTP/3", ["udp/:443"], [":443"], /listens on udp\/:443/],
  ])("a port of both %s", async (_, layer4, http, message) => {
    const { violations } = await json({ listen: layer4 }, { listen: http });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(message);
  });

  test("port 80 of layer4 beside sites whose redirects to HTTPS listen there", async () => {
    const { violations } = await json({ listen: [":80"] }, { listen: [":443"] });
    expect(violations[0]).toMatch(/listens on :80, where the redirects to HTTPS of .*web listens too/);
  });

  test("the port that http_port moves the redirects to", async () => {
    const outcome = await json({ listen: [":8080"] }, { listen: [":443"] }, { http_port: 8080 });
    expect(outcome.violations[0]).toMatch(/listens on :8080, where the redirects/);
    expect(await json({ listen: [":80"] }, { listen: [":443"] }, { http_port: 8080 })).toMatchObject(PASSED);
  });

  test.each([
    [
      "a command's stdin",
      { create: "docker exec -i caddy caddy reload", stdin: SHARED },
      "stdin apps.layer4",
    ],
    [
      "a here-document",
      { create: `cat > /etc/caddy/c.json <<'EOF'\n${SHARED}\nEOF\n` },
      "create apps.layer4",
    ],
    ["a quoted word", { create: `echo '${SHARED}' | caddy run --config -` }, "create apps.layer4"],
    ["a quoted word with escapes", { create: `echo ${JSON.stringify(SHARED)} > c.json` }, "create (quoted)"],
    ["base64", { create: `echo ${base64(SHARED)} | base64 -d > c.json` }, "create (base64)"],
    ["a variable", { environment: { CONFIG: SHARED } }, "environment.CONFIG apps.layer4"],
  ])("one that is hidden in %s", async (_, props, where) => {
    const { violations } = await command(props);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(where);
    expect(violations[0]).toMatch(ON_443);
  });

  test.each([
    ["an env of a container", { envs: ["A=1", `CADDY_CONFIG=${SHARED}`] }, "envs (CADDY_CONFIG) apps"],
    [
      "an upload in base64",
      { uploads: [{ file: "/c.json", contentBase64: base64(SHARED) }] },
      "contentBase64 (/c.json) apps",
    ],
    [
      "JSON in JSON",
      { envs: [`C=${JSON.stringify({ files: [{ text: SHARED }] })}`] },
      "envs (C) files[0].text apps",
    ],
    ["the start command", { command: ["sh", "-c", `echo '${SHARED}' > /c.json`] }, "command[2] apps"],
    [
      "HuJSON",
      { uploads: [{ file: "/c.json", content: `// edge\n${SHARED.slice(0, -1)},}` }] },
      "(/c.json) apps",
    ],
    [
      "a secret upload",
      { uploads: [{ file: "/c.json", contentBase64: secret(base64(SHARED)) }] },
      "uploads[0].contentBase64 (/c.json) apps.layer4",
    ],
  ])("one that is hidden in %s", async (_, props, where) => {
    const { violations } = await container(props);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(where);
  });

  test("one with passwords in it, and beside a secret, without repeating either", async () => {
    const http = {
      listen: [":443"],
      routes: [{ handle: [{ handler: "authentication", password: "opensesame" }] }],
    };
    const content = config({ listen: [":443"] }, http);
    const { violations } = await container({
      uploads: [{ file: "/c.json", content }],
      envs: [secret("TOKEN=correct-horse-battery")],
    });
    expect(violations).toHaveLength(1);
    expect(violations[0]).not.toContain("opensesame");
  });

  test("a component's args that hold the config as an object", async () => {
    const outcome = await runPolicy(policy, {
      type: "tailwart:mail:Other",
      props: { config: JSON.parse(SHARED) as object },
    });
    expect(outcome.violations[0]).toContain("config apps.layer4.servers.mail listens on :443");
  });

  test("a Caddyfile's layer4 block on the port of its sites, by its line", async () => {
    const { violations } = await caddyfile(
      "{\n\tlayer4 {\n\t\t:443 {\n\t\t\troute {\n\t\t\t\tproxy a:443\n\t\t\t}\n\t\t}\n\t}\n}\nwww.example.org {\n\trespond ok\n}\n",
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "uploads[0].content (/etc/caddy/Caddyfile) line 3 (:443) listens on :443",
    );
    expect(violations[0]).toContain("line 10 (www.example.org) listens too");
  });

  test.each([
    ["http://www.example.org {\n respond ok\n}", ":80"],
    [":8080 {\n respond ok\n}", ":8080"],
    ["www.example.org {\n bind 203.0.113.5\n respond ok\n}", "203.0.113.5:443"],
    ["www.example.org\nrespond ok\n", ":80"],
    ["a.example.org,\nb.example.org:8443 {\n respond ok\n}", ":8443"],
    ['"www.example.org" {\n respond "a { b"\n}', ":443"],
  ])("the port of the site %j", async (sites, port) => {
    const { violations } = await caddyfile(
      `{\n layer4 {\n ${port} {\n route {\n echo\n }\n }\n }\n}\n${sites}`,
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`listens on ${port}`);
  });
});

describe("edge-port-conflict leaves alone", () => {
  test.each([
    ["other ports", { listen: [":25"] }, { listen: [":443"] }],
    ["other addresses of one port", { listen: ["203.0.113.5:443"] }, { listen: ["127.0.0.1:443"] }],
    [
      "one address beside all others, which the kernel tells apart",
      { listen: ["203.0.113.5:443"] },
      { listen: [":443"] },
    ],
    ["udp without HTTP/3", { listen: ["udp/:443"] }, { listen: [":443"], protocols: ["h1", "h2"] }],
    [
      "port 80 without redirects",
      { listen: [":80"] },
      { listen: [":443"], automatic_https: { disable_redirects: true } },
    ],
    [
      "port 80 without automatic HTTPS",
      { listen: [":80"] },
      { listen: [":443"], automatic_https: { disable: true } },
    ],
    ["port 80 beside a server without names", { listen: [":80"] }, { listen: [":8443"], routes: [] }],
    ["unix sockets", { listen: ["unix//run/a.sock"] }, { listen: ["unix//run/a.sock"] }],
  ])("%s", async (_, layer4, http) => {
    expect(await json(layer4, http)).toMatchObject(PASSED);
  });

  test("the layer4 listener wrapper, which has no socket of its own", async () => {
    const http = {
      listen: [":443"],
      listener_wrappers: [{ wrapper: "layer4", routes: [route] }, { wrapper: "tls" }],
    };
    expect(await json({ listen: [":25"] }, http)).toMatchObject(PASSED);
    expect(
      await caddyfile(
        "{\n servers :443 {\n listener_wrappers {\n layer4 {\n route {\n proxy a:1\n }\n }\n tls\n }\n }\n}\nwww.example.org {\n}\n",
      ),
    ).toMatchObject(PASSED);
  });

  test("what only says when a command runs, and what is done when it is deleted", async () => {
    const outcome = await command({ create: "true", triggers: [SHARED], delete: `echo '${SHARED}'` });
    expect(outcome.notApplicable).toBe("no Caddy config is in it");
  });

  test("a config that is not Caddy's, and a broken one", async () => {
    const content = '{"apps": {"layer4": ';
    expect((await container({ envs: [`C=${content}`] })).notApplicable).toBeDefined();
    expect(
      (await container({ uploads: [{ file: "/x", content: '{"apps": {"web": {}}}' }] })).notApplicable,
    ).toBeDefined();
    const nginx = "server {\n listen 443;\n reverse_proxy on;\n}\n";
    expect((await container({ uploads: [{ file: "/n.conf", content: nginx }] })).notApplicable).toBeDefined();
  });
});

/** A layer4 server beside one site, with global options. */
const bound = (layer4: string, options: string, site: string): Promise<Outcome> =>
  caddyfile(
    `{\n ${options}\n layer4 {\n ${layer4} {\n route {\n proxy a:1\n }\n }\n }\n}\nwww.example.org {\n ${site}\n respond ok\n}\n`,
  );

describe("edge-port-conflict asks on which address a site listens: it leaves alone", () => {
  test.each([
    ["sites that are all on loopback", ":443", "default_bind 127.0.0.1", ""],
    ["sites on loopback in both families", ":443", "default_bind 127.0.0.1 [::1]", ""],
    ["sites on loopback by name", ":443", "default_bind localhost", ""],
    ["the redirects of sites on loopback", ":80", "default_bind 127.0.0.1", ""],
    ["a site with a bind of its own", ":443", "", "bind ::1"],
    ["a site that takes back what the default is", "203.0.113.5:443", "default_bind 203.0.113.5", "bind ::1"],
    ["a default of two lines", ":443", "default_bind 127.0.0.1\n default_bind ::1", ""],
    ["a default with protocols of its own", ":443", "default_bind 127.0.0.1 {\n protocols h1 h2\n }", ""],
    ["a site that is bound to a socket of the file system", ":443", "", "bind unix//run/caddy.sock"],
    ["a site of the other family", "tcp6/[::]:443", "default_bind tcp4/0.0.0.0", ""],
    ["IPv4 alone beside both families, which the kernel tells apart", "tcp4/:443", "", ""],
    ["a site on another address of IPv6", "[2001:db8::5]:443", "default_bind [2001:db8::6]", ""],
  ])("%s", async (_, layer4, options, site) => {
    expect(await bound(layer4, options, site)).toMatchObject(PASSED);
  });
});

describe("edge-port-conflict asks on which address a site listens: it refuses", () => {
  test.each([
    ["sites on loopback beside a listener there", "127.0.0.1:443", "default_bind 127.0.0.1", ""],
    ["one of several addresses", "127.0.0.1:443", "default_bind 203.0.113.5 127.0.0.1", ""],
    ["a site that is bound to all despite the default", ":443", "default_bind 127.0.0.1", "bind 0.0.0.0"],
    ["a bind of IPv6's whole host", ":443", "", "bind ::"],
    ["IPv6's loopback in another spelling", "[::1]:443", "default_bind 0:0:0:0:0:0:0:1", ""],
    ["IPv4 in IPv6's spelling", "127.0.0.1:443", "", "bind ::ffff:127.0.0.1"],
    ["loopback by name", "localhost:443", "default_bind 127.0.0.1", ""],
    ["one family on both sides", "tcp4/:443", "", "bind tcp4/0.0.0.0"],
    ["the second line of binds", "[::1]:443", "", "bind 127.0.0.1\n bind ::1"],
    ["a bind with a network and brackets", "[::1]:443", "", "bind tcp/[::1]"],
    ["the redirects of a bound site", "127.0.0.1:80", "default_bind 127.0.0.1", ""],
  ])("%s", async (_, layer4, options, site) => {
    expect((await bound(layer4, options, site)).violations).toHaveLength(1);
  });
});

/** A layer4 server beside one site, in a container with an environment. */
const variables = (layer4: string, site: string, envs: unknown): Promise<Outcome> => {
  const content = `{\n \n layer4 {\n ${layer4} {\n route {\n proxy a:1\n }\n }\n }\n}\nwww.example.org {\n ${site}\n respond ok\n}\n`;
  return container({ uploads: [{ file: "/etc/caddy/Caddyfile", content }], envs });
};

describe("edge-port-conflict reads a listener with a variable", () => {
  test.each([
    ["by its default", ":{$PORT:443}", "", []],
    ["from the container's environment", ":{$PORT}", "", ["PORT=443"]],
    ["from it despite a default", ":{$PORT:25}", "", ["PORT=443"]],
    ["that is filled in at start", ":{env.PORT}", "", ["PORT=443"]],
    ["as a part of a word", "{$IP:0.0.0.0}:4{$REST}", "", ["REST=43"]],
    ["that is several addresses", "{$LISTEN}", "", ["LISTEN=:25 :443"]],
    ["of a site", "127.0.0.1:443", "bind {$BIND:127.0.0.1}", []],
    ["that is empty, and so no reason for the default", ":443", "bind {$BIND:127.0.0.1}", ["BIND="]],
  ])("%s", async (_, layer4, site, envs) => {
    const outcome = await variables(layer4, site, envs);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual([]);
  });

  test("which is another port than its default", async () => {
    expect(await variables(":{$PORT:443}", "", ["PORT=8443"])).toMatchObject(PASSED);
  });
});

describe("edge-port-conflict asks which sites redirect from port 80", () => {
  const on80 = (options: string, sites: string): Promise<Outcome> =>
    caddyfile(`{\n ${options}\n layer4 {\n :80 {\n route {\n proxy a:1\n }\n }\n }\n}\n${sites}`);

  test.each([
    ["a name", "", "www.example.org {\n}"],
    ["a name on another port", "", "www.example.org:8443 {\n}"],
    ["every name on the port of HTTPS", "", ":443 {\n respond ok\n}"],
    ["every name by its scheme", "", "https:// {\n respond ok\n}"],
    ["another port with a tls line", "", ":8443 {\n tls internal\n respond ok\n}"],
    ["a name with TLS beside one without", "", "http://a.example.org:8080, b.example.org:8443 {\n}"],
    ["the port itself", "", ":80 {\n respond ok\n}"],
    ["a name whose scheme is HTTP", "", "http://www.example.org {\n}"],
    ["a name, without certificates", "auto_https disable_certs", "www.example.org {\n}"],
  ])("and refuses %s", async (_, options, sites) => {
    expect((await on80(options, sites)).violations).toHaveLength(1);
  });

  test.each([
    ["HTTP on another port", "", "http://www.example.org:8080 {\n}"],
    ["every name on another port", "", ":8080 {\n respond ok\n}"],
    ["redirects that are off", "auto_https disable_redirects", "www.example.org {\n}"],
    ["automatic HTTPS that is off", "auto_https off", "www.example.org {\n}"],
    ["another port for HTTP", "http_port 8080", "www.example.org {\n}"],
    ["a site that is bound elsewhere", "", "www.example.org {\n bind 127.0.0.1\n}"],
  ])("and leaves %s alone", async (_, options, sites) => {
    expect(await on80(options, sites)).toMatchObject(PASSED);
  });
});

describe("edge-port-conflict lists as not judged", () => {
  test("a config that is unknown at preview, and judges the other", async () => {
    const outcome = await container({
      uploads: [
        { file: "/etc/caddy/more.json", content: UNKNOWN },
        { file: "/etc/caddy/caddy.json", content: SHARED },
        { file: "/etc/motd", content: UNKNOWN },
      ],
      envs: [UNKNOWN],
    });
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(["uploads[0].content: unknown until the update"]);
    expect(outcome.blind).toBeUndefined();
  });

  test.each([
    [
      "uploads of a Caddy",
      { image: "caddy:2", uploads: UNKNOWN_LIST },
      ["uploads: unknown until the update"],
    ],
    [
      "a file that is read at deploy",
      { uploads: [{ file: "/etc/caddy/Caddyfile", source: "./Caddyfile" }] },
      ["uploads[0].source: /etc/caddy/Caddyfile comes from a local file, which is only read at deploy"],
    ],
    [
      "what is no Caddyfile",
      { uploads: [{ file: "/etc/caddy/Caddyfile", content: "www.example.org {" }] },
      [
        "uploads[0].content (/etc/caddy/Caddyfile): cannot be read as a Caddyfile or as Caddy's JSON: the block of line 1 does not end",
      ],
    ],
    [
      "an imported file",
      {
        uploads: [
          {
            file: "/etc/caddy/Caddyfile",
            content: "(s) {\n respond ok\n}\nimport sites/*\na.example.org {\n import s\n}",
          },
        ],
      },
      ["uploads[0].content (/etc/caddy/Caddyfile) line 4: imports a file, which is not read"],
    ],
    [
      "imported files alone",
      { uploads: [{ file: "/etc/caddy/Caddyfile", content: "import sites/*\n" }] },
      ["uploads[0].content (/etc/caddy/Caddyfile) line 1: imports a file, which is not read"],
    ],
  ])("%s", async (_, props, notJudged) => {
    expect(await container(props)).toMatchObject({ violations: [], notJudged });
  });

  test.each([
    ["an address that is filled in at start", "{env.ADDRESS}:443", [":443"], "{env.ADDRESS}"],
    ["a port that is read from a file", ":{file./run/port}", [":443"], "{file./run/port}"],
    ["the name of the host", "{system.hostname}:443", [":443"], "{system.hostname}"],
  ])("%s", async (_, layer4, http, placeholder) => {
    expect((await json({ listen: [layer4] }, { listen: http })).notJudged).toEqual([
      `uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail: listens where ${placeholder} stands for a value that is only known where Caddy runs`,
    ]);
  });

  test("a variable without a value, and a site that listens there", async () => {
    const outcome = await variables(":{$PORT}", "bind {$BIND:127.0.0.1}", [UNKNOWN]);
    expect(outcome).toMatchObject({ violations: [] });
    expect(outcome.notJudged).toEqual([
      "uploads[0].content (/etc/caddy/Caddyfile) line 11 (www.example.org): listens where {$BIND} stands for a value that is only known where Caddy runs",
      "uploads[0].content (/etc/caddy/Caddyfile) line 4 (:{$PORT}): listens where {$PORT} stands for a value that is only known where Caddy runs",
    ]);
  });

  test("an unknown stdin of a command for Caddy, and not of any other", async () => {
    const caddy = await command({ create: "caddy reload", stdin: UNKNOWN, environment: { HOST: UNKNOWN } });
    expect(caddy.notJudged).toEqual(["stdin: unknown until the update"]);
    expect((await command({ create: "nginx -s reload", stdin: UNKNOWN })).notApplicable).toBeDefined();
  });

  test("an unknown part of an object", async () => {
    const props = { config: { apps: { layer4: { servers: { mail: { listen: UNKNOWN_LIST } } } } } };
    const outcome = await runPolicy(policy, { type: "tailwart:mail:Other", props });
    expect(outcome.notJudged).toEqual(["config.apps.layer4.servers.mail.listen: unknown until the update"]);
  });
});

test("edge-port-conflict does not concern resources without a Caddy config, nor other providers", async () => {
  expect((await container({ envs: ["A=b"], image: "caddy:2" })).notApplicable).toBe(
    "no Caddy config is in it",
  );
  const other = await runPolicy(policy, { type: "random:index:RandomId", props: { prefix: SHARED } });
  expect(other.notApplicable).toBe("no Caddy config is in it");
});
