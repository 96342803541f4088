import { describe, expect, test } from "vitest";
import { noHardcodedTailnetIp as policy } from "../../policies/rules/no-hardcoded-tailnet-ip.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, type Outcome } from "./harness.ts";
import { base64, CONTAINER } from "./resources.ts";

const container = (props: object): Promise<Outcome> => runPolicy(policy, { type: CONTAINER, props });
const caddy = JSON.stringify({
  apps: {
    layer4: {
      servers: { mail: { routes: [{ handle: [{ upstreams: [{ dial: ["100.101.102.103:25"] }] }] }] } },
    },
  },
});

const upload = (file: string, content: string) => container({ uploads: [{ file, content }] });

describe("no-hardcoded-tailnet-ip passes an address in a comment", () => {
  test.each([
    [
      "behind a Caddyfile's directive",
      "/Caddyfile",
      "a.example {\n\treverse_proxy app:80 # was 100.101.102.103\n}\n",
    ],
    ["behind a variable", "/app/.env", "DB=records   # 100.101.102.104\nLOG=info\n"],
    ["behind a value of YAML", "/c.yaml", "db:\n  host: records # 100.101.102.104\n"],
    ["behind a quoted value", "/c.yaml", "db:\n  host: 'records' # 100.101.102.104\n"],
    ["behind a value with a # in quotes", "/c.yaml", 'color: "a # b" # 100.101.102.104\nx: y\n'],
    ["behind a command, after a tab", "/run.sh", "exec app\t# 100.101.102.104\nexit\n"],
  ])("%s", async (_, file, content) => expect(await upload(file, content)).toEqual(PASSED));
});

describe("no-hardcoded-tailnet-ip refuses an address that only looks like a comment", () => {
  test.each([
    ["in double quotes", 'url: "x # 100.101.102.103"\nb: c\n'],
    ["in single quotes", "url: 'x # 100.101.102.103'\nb: c\n"],
    ["in a Caddyfile's backquotes", "respond `# 100.101.102.103`\nlog\n"],
    ["behind a # within a word", "url: http://x/a#100.101.102.103\nb: c\n"],
    ["before the comment", "host: 100.101.102.103 # the edge\nb: c\n"],
    ["in a single line, where # begins no comment", "x # 100.101.102.103"],
  ])("%s", async (_, content) => expect((await upload("/c", content)).violations).toHaveLength(1));
});

describe("no-hardcoded-tailnet-ip refuses an address in a key", () => {
  const settings = (key: string) =>
    runPolicy(policy, { type: "tailwart:mail:Settings", props: { settings: { [key]: "" } } });
  test.each([
    ["server.allowed-ip.100.101.102.103", 1],
    ["server.allowed-ip.fd7a:115c:a1e0::67", 1],
    ["100.101.102.103", 1],
    ["server.allowed-ip.100.101.102.103/32", 1],
    ["server.allowed-ip.100.64.0.0/10", 0],
    ["server.allowed-ip.198.51.100.7", 0],
    ["queue.route.0000.then", 0],
  ])("%s: %i", async (key, count) => expect((await settings(key)).violations).toHaveLength(count));

  test.each([
    ["quoted", '[server.allowed-ip]\n"100.101.102.103" = ""\n'],
    ["in parts", "[server]\nallowed-ip.100.101.102.103 = true\n"],
  ])("of TOML, %s", async (_, content) => {
    expect((await upload("/c.toml", content)).violations).toEqual([
      expect.stringContaining("100.101.102.103"),
    ]);
  });
});

describe("no-hardcoded-tailnet-ip refuses an address", () => {
  test("in an environment variable, and says where, what, why and what to write instead", async () => {
    const { violations } = await container({ envs: ["A=1", "SMARTHOST=100.101.102.103:587"] });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      "envs (SMARTHOST) holds 100.101.102.103, the address of one tailnet node",
    );
    expect(violations[0]).toMatch(/why: .*changes when it registers again.*lesson 6/);
    expect(violations[0]).toMatch(/instead: .*MagicDNS name/);
  });

  test.each([
    [
      "an uploaded Caddy JSON",
      { uploads: [{ file: "/etc/caddy/caddy.json", content: caddy }] },
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail.routes[0].handle[0].upstreams[0].dial[0] holds 100.101.102.103",
    ],
    [
      "an upload in base64",
      { uploads: [{ file: "/c.json", contentBase64: base64(caddy) }] },
      "uploads[0].contentBase64 (/c.json) apps.layer4",
    ],
    [
      "an uploaded Caddyfile",
      { uploads: [{ file: "/Caddyfile", content: "# edge\n:25 {\n  proxy tcp/100.101.102.103:25\n}\n" }] },
      "uploads[0].content (/Caddyfile) line 3 holds",
    ],
    [
      "an uploaded TOML",
      {
        uploads: [
          { file: "/c.toml", content: '[store.pg]\ntype = "postgresql"\nhost = "100.101.102.103"\n' },
        ],
      },
      "(/c.toml) store.pg.host holds",
    ],
    [
      "an uploaded HuJSON with comments",
      { uploads: [{ file: "/p.hujson", content: '// mine\n{"hosts": {"db": "100.101.102.103",},}' }] },
      "(/p.hujson) hosts.db holds",
    ],
    [
      "the first of two values of one JSON key",
      { uploads: [{ file: "/a", content: '{"a":"100.101.102.103","a":"x"}' }] },
      "(/a) a holds",
    ],
    [
      "JSON inside JSON",
      { envs: [`CONFIG=${JSON.stringify({ inner: JSON.stringify({ dial: "100.101.102.103" }) })}`] },
      "envs (CONFIG) inner dial holds",
    ],
    ["a JSON key", { envs: ['PEERS={"100.101.102.103":"db"}'] }, "envs (PEERS)"],
    [
      "escapes of JSON",
      { envs: ['C={"a":"\\u0031\\u0030\\u0030.101.102.103"}'] },
      "envs (C) a holds 100.101.102.103",
    ],
    ["the command", { command: ["nc", "-z", "100.101.102.103", "25"] }, "command[2] holds"],
    [
      "the entrypoint, as a number",
      { entrypoints: ["sh", "-c", "exec 3<>/dev/tcp/1684367975/25"] },
      "entrypoints[2] holds 1684367975",
    ],
    [
      "a label",
      { labels: [{ label: "traefik.url", value: "http://100.101.102.103" }] },
      "labels[0].value (traefik.url) holds",
    ],
    [
      "an extra host",
      { hosts: [{ host: "db", ip: "fd7a:115c:a1e0::67" }] },
      "hosts[0].ip (db) holds fd7a:115c:a1e0::67",
    ],
    [
      "a health check",
      { healthcheck: { tests: ["CMD", "nc", "-z", "100.101.102.103", "5432"] } },
      "healthcheck.tests[3] holds",
    ],
    ["a published port's address", { ports: [{ internal: 25, ip: "100.101.102.103" }] }, "ports[0].ip holds"],
    ["a DNS server other than MagicDNS's", { dns: ["100.100.100.100", "100.101.102.103"] }, "dns[1] holds"],
  ])("in %s", async (_, props, message) => {
    const { violations } = await container(props);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  test.each([
    ["a command's inputs", "command:local:Command", { create: "ssh root@100.101.102.103 true" }, "create"],
    [
      "a remote command's connection",
      "command:remote:Command",
      { connection: { host: "100.101.102.103" }, create: "true" },
      "connection.host",
    ],
    [
      "the tailnet policy file",
      "tailscale:index/acl:Acl",
      { acl: '{"hosts":{"db":"100.101.102.103"}}' },
      "acl hosts.db",
    ],
    [
      "a component's args",
      "tailwart:mail:Stalwart",
      { relay: { host: "100.101.102.103", port: 587 } },
      "relay.host",
    ],
    ["a provider's Docker host", "pulumi:providers:docker", { host: "ssh://root@100.101.102.103" }, "host"],
  ])("in %s", async (_, type, props, where) => {
    const { violations } = await runPolicy(policy, { type, props });
    expect(violations).toHaveLength(1);
    expect(violations[0]?.startsWith(`${where} holds 100.101.102.103`)).toBe(true);
  });

  test.each([
    ["a port", CONTAINER, { ports: [{ internal: 25, ip: "100.101.102.103" }] }, /instead: no published port/],
    [
      "an extra host",
      CONTAINER,
      { hosts: [{ host: "db", ip: "100.101.102.103" }] },
      /instead: no entry, and/,
    ],
    ["a resolver", CONTAINER, { dns: ["100.101.102.103"] }, /instead: 100\.100\.100\.100, where/],
    ["a variable", CONTAINER, { envs: ["RELAY=100.101.102.103"] }, /instead: the node's MagicDNS name/],
    [
      "a policy file",
      "tailscale:index/acl:Acl",
      { acl: '{"acls":[{"action":"accept","src":["tag:a"],"dst":["100.101.102.103:*"]}]}' },
      /instead: a tag, such as tag:mail/,
    ],
    [
      "a policy file that is uploaded",
      CONTAINER,
      {
        uploads: [{ file: "/etc/headscale/policy.hujson", content: '{"hosts": {"db": "100.101.102.103"}}' }],
      },
      /instead: a tag, such as tag:mail/,
    ],
    [
      "Stalwart's allow-list",
      "tailwart:mail:Settings",
      { settings: { "server.allowed-ip.100.101.102.103": "" } },
      /instead: a range that the node stays in, such as 100\.64\.0\.0\/10/,
    ],
    [
      "Stalwart's trusted networks",
      "tailwart:mail:Settings",
      { settings: { "server.listener.smtp.proxy.trusted-networks.0000": "100.101.102.103" } },
      /instead: a range that the node stays in/,
    ],
    [
      "a route of Stalwart's",
      "tailwart:mail:Settings",
      { settings: { "queue.route.relay.address": "100.101.102.103" } },
      /instead: the node's MagicDNS name/,
    ],
  ])("in %s, with advice that is legal there", async (_, type, props, advice) => {
    const { violations } = await runPolicy(policy, { type, props });
    expect(violations).toEqual([expect.stringMatching(advice)]);
  });

  test("inside a secret, without repeating the rest of it", async () => {
    const url = secret("URL=postgres://stalwart:opensesame@100.101.102.103/mail");
    const { violations } = await container({ envs: [url] });
    expect(violations.join()).not.toMatch(/opensesame|postgres/);
    expect(violations).toHaveLength(1);
  });

  test("beside unknown values, which are listed and do not hide it", async () => {
    const outcome = await container({
      image: UNKNOWN,
      networkMode: UNKNOWN,
      envs: [UNKNOWN, "DB=100.101.102.103"],
      command: UNKNOWN_LIST,
    });
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual([
      "command: unknown until the update",
      "envs[0]: unknown until the update",
    ]);
    expect(outcome.blind).toBeUndefined();
  });
});

describe("no-hardcoded-tailnet-ip passes", () => {
  test.each([
    [
      "ranges, MagicDNS's resolver and other addresses",
      {
        envs: [
          "TRUST=100.64.0.0/10,fd7a:115c:a1e0::/48",
          "NS=100.100.100.100",
          "A=100.0.0.0/10",
          "B=203.0.113.9",
        ],
      },
    ],
    ["names", { envs: ["DB=the-record-prod.tail7b1641.ts.net:5432"] }],
    [
      "comments in HuJSON",
      { uploads: [{ file: "/p.hujson", content: '{\n// was 100.112.26.122\n"a": "b",\n}' }] },
    ],
    [
      "comment lines of a script",
      { uploads: [{ file: "/x.sh", content: "#!/bin/sh\n# was 100.112.26.122\ntrue\n" }] },
    ],
    [
      "a time that has the value of an address",
      { envs: ["BUILD_TIME=1682000000", 'M={"createdAt":"1682000000"}'] },
    ],
    [
      "a size and a version that have the value of an address",
      { envs: ["MAX_BYTES=1682000000", "APP_VERSION=100.64.1"] },
    ],
    ["numbers", { memory: 1682000000, stopTimeout: 90 }],
    ["a container without any text", {}],
  ])("%s", async (_, props) => {
    expect(await container(props)).toEqual(PASSED);
  });

  test("ids, digests and credentials that are unknown at preview, without a word", async () => {
    const props = {
      image: UNKNOWN,
      networkMode: UNKNOWN,
      uploads: [
        { file: "/etc/stalwart/secrets/pg", content: UNKNOWN },
        { file: "/etc/tailwart/authkey", content: UNKNOWN },
      ],
      labels: [{ label: "files-id", value: UNKNOWN }],
    };
    expect(await container(props)).toEqual(PASSED);
    const others = {
      uploads: [{ file: "/etc/hosts", content: UNKNOWN }],
      labels: [{ label: "traefik.url", value: UNKNOWN }],
    };
    expect((await container(others)).notJudged).toHaveLength(2);
    expect(
      await runPolicy(policy, {
        type: "tailwart:mail:Stalwart",
        props: { anchorId: UNKNOWN, authKey: UNKNOWN },
      }),
    ).toEqual(PASSED);
  });

  test("what is uploaded from a local file as not judged", async () => {
    const { notJudged } = await container({
      uploads: [{ file: "/etc/caddy/Caddyfile", source: "./Caddyfile" }],
    });
    expect(notJudged).toEqual([
      "uploads[0].source: /etc/caddy/Caddyfile comes from a local file, which is only read at deploy",
    ]);
    // What the provider fills in where nothing is set.
    const filled = { file: "/etc/caddy/Caddyfile", content: ":80", source: "" };
    expect((await container({ uploads: [filled] })).notJudged).toEqual([]);
  });

  test.each([
    "random:index/randomPassword:RandomPassword",
    "docker-build:index:Image",
    "tailscale:index/tailnetKey:TailnetKey",
    "pulumi:pulumi:Stack",
    "pulumi:providers:tailscale",
  ])("over %s, which is not its concern", async (type) => {
    const outcome = await runPolicy(policy, { type, props: { a: "100.101.102.103" } });
    expect(outcome.notApplicable).toMatch(/only docker, command, tailwart/);
    expect(outcome.violations).toEqual([]);
  });
});
