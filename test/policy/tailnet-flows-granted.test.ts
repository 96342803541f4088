import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseFlowSettings,
  tailnetFlowsGranted as policy,
} from "../../policies/rules/tailnet-flows-granted.ts";
import {
  PASSED,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  urnOf,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { acl as document, CONTAINER, headsOf, resource } from "./resources.ts";

const HOST = "mailbox.tail7b1641.ts.net";

const container = (name: string, props: object, more: object = {}) =>
  resource(CONTAINER, name, { name, ...props }, more);
const node = container("ts", { envs: ["TS_HOSTNAME=app", "TS_EXTRA_ARGS=--advertise-tags=tag:app --reset"] });
/** A container in the node's network namespace. */
const app = (...envs: unknown[]): TestResource => container("app", { envs, networkMode: "container:ts" });
const settings = (keys: unknown, more: object = {}) =>
  resource("tailwart:mail:Settings", "settings", { settings: keys, ...more });
const component = (kind: string, props: object) => resource(`tailwart:mail:${kind}`, kind, props);
const grants = (...rows: [src: string, dst: string, ...ip: string[]][]): TestResource =>
  document({ grants: rows.map(([src, dst, ...ip]) => ({ src: [src], dst: [dst], ip })) });
const NONE = grants();

const run = (resources: readonly TestResource[], config: Record<string, unknown> = {}): Promise<Outcome> =>
  runStackPolicy(policy, resources, { config });
const heads = async (...resources: TestResource[]): Promise<string[]> => {
  const { violations, notJudged } = await run(resources);
  expect(notJudged).toEqual([]);
  return headsOf(violations);
};

describe("tailnet-flows-granted refuses a stack whose", () => {
  test("node may only be reached, and says where, what, why and what instead", async () => {
    const acl = grants(["tag:edge", "tag:app", "tcp:443"], ["tag:mail", "tag:db", "tcp:5432"]);
    const { violations, notJudged } = await run([node, app("LANG=C", `RELAY_HOST=${HOST}:587`), acl]);
    expect(violations).toEqual([
      [
        `envs (RELAY_HOST) needs tag:app to reach ${HOST}:587, the relay, and tag:app stands in the grants as a destination only.`,
        "  why: the tailnet drops in silence what no grant opens, and a grant to reach a node does not let that node reach anything (lesson 11, https://tailscale.com/kb/1324/grants)",
        '  instead: { "src": ["tag:app"], "dst": ["tag:<that node\'s>"], "ip": ["tcp:587"] } among the grants',
      ].join("\n"),
    ]);
    expect(notJudged).toEqual([]);
  });

  test("relay is only granted the opposite direction", async () => {
    const acl = grants(["tag:app", "tag:db", "tcp:5432"], ["tag:mail", "tag:app", "tcp:25"]);
    const { violations } = await run([node, app(`RELAY_HOST=${HOST}:587`), acl], {
      hosts: { [HOST]: "tag:mail" },
    });
    expect(violations).toEqual([
      expect.stringMatching(/:587, the relay, and only the opposite direction is granted \(grants\[1\]\)\./),
    ]);
    expect(violations[0]).toContain(
      'instead: { "src": ["tag:app"], "dst": ["tag:mail"], "ip": ["tcp:587"] }',
    );
  });

  test("relay is granted on another port, to another tag, or over another protocol", async () => {
    const relay = app(`RELAY_HOST=${HOST}:587`);
    const none = [expect.stringContaining(`to reach ${HOST}:587, the relay, and no grant opens that`)];
    expect(await heads(node, relay, grants(["tag:app", "tag:mail", "tcp:25"]))).toEqual(none);
    expect(await heads(node, relay, grants(["tag:app", "tag:mail", "udp:587"]))).toEqual(none);
    const config = { hosts: { mailbox: "tag:mail" } };
    const { violations } = await run([node, relay, grants(["tag:app", "tag:db", "tcp:587"])], config);
    expect(violations).toEqual(none);
  });

  const rules = (...acls: object[]) => document({ acls: acls.map((one) => ({ action: "accept", ...one })) });
  test.each([
    ["no port, which the control server refuses", rules({ src: ["tag:app"], dst: ["tag:mail"] })],
    ["keys that do not exist", rules({ Sources: ["tag:app"], Destinations: ["tag:mail:*"] })],
    ["no source", rules({ src: [], dst: ["tag:mail:*"] })],
    ["a port's name", rules({ src: ["tag:app"], dst: ["tag:mail:submission"] })],
    ["a list of nothing", rules({ src: ["tag:app"], dst: ["tag:mail:"] })],
    [
      "an application alone",
      document({ grants: [{ src: ["tag:app"], dst: ["tag:mail"], app: { x: [{}] } }] }),
    ],
    ["a refusal", rules({ action: "drop", src: ["tag:app"], dst: ["tag:mail:*"] })],
  ])("relay stands in a rule that grants nothing: %s", async (_, acl) => {
    const { violations } = await run([node, app(`RELAY_HOST=${HOST}:587`), acl], {
      hosts: { [HOST]: "tag:mail" },
    });
    expect(violations).toEqual([expect.stringContaining("the relay, and no grant opens that")]);
  });

  test("relay is only granted by an address, which may be another one tomorrow", async () => {
    const relay = app(`RELAY_HOST=${HOST}:587`);
    const hosts = { [HOST]: "tag:mail" };
    const byAddress = rules({ src: ["tag:app"], dst: ["100.101.102.111:*"] });
    expect((await run([node, relay, byAddress], { hosts })).violations).toEqual([
      expect.stringContaining("and only acls[0] may open that, by an address, which is another one when"),
    ]);
    // A range that it may lie in says more.
    const byRange = rules({ src: ["tag:app"], dst: ["100.101.102.111:*", "100.100.0.0/16:587"] });
    expect((await run([node, relay, byRange], { hosts })).violations).toEqual([]);
    expect((await run([node, relay, byAddress])).violations).toEqual([]);
  });

  test("node stands in no grant", async () => {
    expect(
      await heads(node, app(`RELAY_HOST=${HOST}:587`), grants(["tag:mail", "tag:db", "tcp:5432"])),
    ).toEqual([expect.stringContaining(`to reach ${HOST}:587, the relay, and no grant opens that`)]);
  });

  test("needs are said by several resources, and names the one that takes effect first", async () => {
    const sidecar = component("TailnetSidecar", { hostname: "mail", tag: "tag:app" });
    const mail = component("MailSettings", { relays: [{ host: HOST, port: 587 }] });
    const relay = app(`RELAY_HOST=${HOST}:587`);
    const first = (where: string) => [expect.stringContaining(`${where} needs tag:app to reach ${HOST}:587`)];
    expect(await heads(sidecar, mail, node, relay, NONE)).toEqual(first("envs (RELAY_HOST)"));
    const reload: TestResource = {
      type: "command:local:Command",
      name: "reload",
      props: { create: "caddy reload", stdin: JSON.stringify({ upstreams: [{ dial: `${HOST}:587` }] }) },
      propertyDependencies: { environment: [urnOf(app())] },
    };
    expect(await heads(sidecar, mail, node, app(), reload, NONE)).toEqual(first("stdin upstreams[0].dial"));
  });

  test("Caddy dials a node that nobody may reach, whoever Caddy's own node is", async () => {
    const file = "/etc/caddy/caddy.json";
    const config = {
      apps: {
        layer4: {
          servers: { a: { routes: [{ handle: [{ upstreams: [{ dial: ["app.tail7b1641.ts.net:25"] }] }] }] } },
        },
      },
    };
    const caddy = container("caddy", {
      networkMode: "host",
      uploads: [{ file, content: JSON.stringify(config) }],
    });
    expect(await heads(node, caddy, grants(["tag:edge", "tag:app", "tcp:443"]))).toEqual([
      `uploads[0].content (${file}) apps.layer4.servers.a.routes[0].handle[0].upstreams[0].dial[0] needs its node to reach app.tail7b1641.ts.net:25, Caddy's upstream, and no grant opens that.`,
    ]);
  });

  test("needs are many, each of them once though several resources say the same", async () => {
    const postgres = { host: "db.tail7b1641.ts.net", port: 5432 };
    const found = await heads(
      component("TailnetSidecar", { hostname: "mail", tag: "tag:stalwart", postgres }),
      component("MailSettings", {
        settings: { tailnetDomain: "tail7b1641.ts.net" },
        relays: [{ host: HOST, port: 587 }],
      }),
      component("Verification", { postgres, relay: { host: HOST, port: 587 } }),
      settings(
        { "queue.route.smarthost.address": HOST, "queue.route.smarthost.port": "587" },
        { fileSettings: { "store.pg.type": "postgresql", "store.pg.host": "DB.tail7b1641.ts.net." } },
      ),
      NONE,
    );
    expect(found).toEqual([
      expect.stringContaining(
        `settings["queue.route.smarthost.address"] needs tag:stalwart to reach ${HOST}:587`,
      ),
      expect.stringContaining(
        `fileSettings["store.pg.host"] needs tag:stalwart to reach db.tail7b1641.ts.net:5432`,
      ),
    ]);
  });

  test("component args alone say it, by names below the tailnet's own domain", async () => {
    const found = await heads(
      component("TailnetSidecar", {
        hostname: "mail",
        tag: "tag:stalwart",
        tailnet: { domain: "tail.example.org" },
      }),
      component("Stalwart", {
        settings: {
          postgres: { host: "db.tail.example.org", port: 6432 },
          relays: [{ host: "relay.example.org", port: 587 }],
        },
      }),
      NONE,
    );
    expect(found).toEqual([
      "settings.postgres.host needs tag:stalwart to reach db.tail.example.org:6432, the data store, and no grant opens that.",
    ]);
  });

  describe("Redis and S3 are not granted, as", () => {
    const sidecar = component("TailnetSidecar", {
      hostname: "mail",
      tag: "tag:stalwart",
      tailnet: { domain: "tail.example.org" },
    });
    const redis = "redis://redis.tail.example.org:6380/0";
    const s3 = "http://s3.tail.example.org:9000";
    const needs = (memory: string, blobs: string) => [
      `${memory} needs tag:stalwart to reach redis.tail.example.org:6380, the in-memory store, and no grant opens that.`,
      `${blobs} needs tag:stalwart to reach s3.tail.example.org:9000, the blob store, and no grant opens that.`,
    ];
    const ways: [where: string, resource: TestResource, memory: string, blobs: string][] = [
      [
        "component args",
        component("MailSettings", {
          settings: {
            inMemoryStore: { type: "redis", host: "redis.tail.example.org", port: 6380 },
            blobStore: { type: "s3", endpoint: s3 },
          },
        }),
        "settings.inMemoryStore.host",
        "settings.blobStore.endpoint",
      ],
      [
        "keys of the 0.15 line",
        settings(
          {},
          {
            fileSettings: {
              "store.redis.type": "redis",
              "store.redis.urls": redis.replace("//", "//mail:%{file:/etc/stalwart/secrets/redis}%@"),
              "store.s3.type": "s3",
              "store.s3.endpoint": s3,
            },
          },
        ),
        'fileSettings["store.redis.urls"]',
        'fileSettings["store.s3.endpoint"]',
      ],
      [
        "objects of the registry",
        component("Registry", {
          objects: {
            InMemoryStore: { "@type": "Redis", url: redis },
            BlobStore: { "@type": "S3", region: { "@type": "Custom", customEndpoint: s3 } },
          },
        }),
        "objects.InMemoryStore.url",
        "objects.BlobStore.region.customEndpoint",
      ],
    ];

    test.each(ways)("%s say it", async (_, resource, memory, blobs) => {
      const found = await heads(sidecar, resource, NONE);
      expect(found.sort()).toEqual(needs(memory, blobs).sort());
      const opened = grants(
        ["tag:stalwart", "tag:redis", "tcp:6380"],
        ["tag:stalwart", "tag:db", "tcp:9000"],
      );
      const nodes = component("TailnetPolicy", {
        // One machine may be the database's and S3's.
        nodes: {
          "redis.tail.example.org": ["tag:redis"],
          "s3.tail.example.org": ["tag:s3", "tag:db"],
        },
      });
      expect(await heads(sidecar, resource, nodes, opened)).toEqual([]);
    });

    test("a URL with a password says it, and is not quoted", async () => {
      const url = redis.replace("//", "//mail:hunter2@");
      const found = await heads(sidecar, settings({ "store.cache.urls.0000": url }), NONE);
      expect(found).toEqual([expect.stringContaining("to reach its host:6380, the in-memory store")]);
    });

    test("what is not known yet is said to be unjudged", async () => {
      const unknown = [
        settings({ "store.redis.urls": UNKNOWN, "store.s3.endpoint": UNKNOWN }),
        component("Registry", { objects: { InMemoryStore: UNKNOWN_OBJECT } }),
      ];
      const { notJudged } = await run([sidecar, ...unknown, NONE]);
      expect(notJudged.map((text) => text.split(":")[0]).sort()).toEqual(
        ['settings["store.redis.urls"]', 'settings["store.s3.endpoint"]', "objects.InMemoryStore"].sort(),
      );
    });
  });
});

describe("the port that a relay is reached on", () => {
  test.each([
    [[`RELAY_HOST=${HOST}`], 25],
    [[`RELAY_HOST=${HOST}:587`], 587],
    [[`RELAYHOST=[${HOST}]:2525`], 2525],
    [[`RELAY_HOST=${HOST}`, "RELAY_PORT=465"], 465],
    [[`RELAYHOST=${HOST}`, "RELAYHOST_PORT=465"], 465],
    [[`SMTP_HOST=${HOST}`, "SMTP_PORT=587"], 587],
    [[`SMARTHOST=smtps://${HOST}`], 465],
    [[`SMARTHOST=submission://${HOST}`], 587],
    [[`RELAY_HOST=${HOST}:587`, "RELAY_PORT=25"], 587],
  ])("%j is %i", async (envs, port) => {
    expect(await heads(node, app(...envs), NONE)).toEqual([
      expect.stringContaining(` needs tag:app to reach ${HOST}:${port}, the relay`),
    ]);
    expect(await heads(node, app(...envs), grants(["tag:app", "*", `tcp:${port}`]))).toEqual([]);
  });
});

describe("a data store named by a variable", () => {
  test.each([
    [["DATABASE_URL=postgresql+asyncpg://app@db.x.ts.net/app"], "DATABASE_URL", "its host:5432"],
    [["MATRIX_DB=postgres://db.x.ts.net:6432/app"], "MATRIX_DB", "db.x.ts.net:6432"],
    [["CACHE=redis://db.x.ts.net/0"], "CACHE", "db.x.ts.net:6379"],
    [["PGHOST=db.x.ts.net"], "PGHOST", "db.x.ts.net:5432"],
    [["PGHOST=db.x.ts.net", "PGPORT=6432"], "PGHOST", "db.x.ts.net:6432"],
    [["POSTGRES_HOST=db.x.ts.net"], "POSTGRES_HOST", "db.x.ts.net:5432"],
    [["APP_DB_HOST=db.x.ts.net", "APP_DB_PORT=3306"], "APP_DB_HOST", "db.x.ts.net:3306"],
    [["MYSQL_HOST=db.x.ts.net:3307"], "MYSQL_HOST", "db.x.ts.net:3307"],
    [["REDIS_HOST=db.x.ts.net"], "REDIS_HOST", "db.x.ts.net:6379"],
    [["TAILWART_POSTGRES_HOST=db.x.ts.net"], "TAILWART_POSTGRES_HOST", "db.x.ts.net:5432"],
    [["PGHOST=100.64.0.7"], "PGHOST", "100.64.0.7:5432"],
  ])("%j must be granted", async (envs, name, target) => {
    expect(await heads(node, app(...envs), NONE)).toEqual([
      `envs (${name}) needs tag:app to reach ${target}, the data store, and no grant opens that.`,
    ]);
  });

  const asking = (...envs: string[]) =>
    container("ts", { envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:app", ...envs] });
  test.each([
    ["asks MagicDNS", asking("TS_ACCEPT_DNS=true")],
    [
      "asks MagicDNS by tailscale's own flag",
      container("ts", { envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:app --accept-dns"] }),
    ],
    [
      "is tailwart's sidecar",
      container("ts", {
        envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:app"],
        labels: [{ label: "tailwart.role", value: "sidecar" }],
      }),
    ],
  ])("by one label must be granted where the node %s", async (_, ts) => {
    expect(await heads(ts, app("POSTGRES_HOST=DB"), NONE)).toEqual([
      "envs (POSTGRES_HOST) needs tag:app to reach db:5432, the data store, and no grant opens that.",
    ]);
  });

  test("by one label may be another stack's container where Docker's resolver is asked, so it is not judged", async () => {
    for (const ts of [node, asking("TS_ACCEPT_DNS=false"), asking("TS_USERSPACE=true")]) {
      const found = await run([ts, app("POSTGRES_HOST=db", "REDIS_HOST=redis"), NONE]);
      expect(found.violations).toEqual([]);
      expect(found.notJudged).toEqual([
        expect.stringMatching(/^envs \(POSTGRES_HOST\) db:5432: the name is a node's or, since/),
        expect.stringMatching(/^envs \(REDIS_HOST\) redis:6379: /),
      ]);
    }
    // The policy config, or a node of that name in the stack, says which.
    const { violations } = await run([node, app("POSTGRES_HOST=db"), NONE], { hosts: { db: "tag:db" } });
    expect(violations).toHaveLength(1);
    const granted = grants(["tag:app", "*", "tcp:5432"]);
    expect(await heads(node, app("POSTGRES_HOST=db"), granted)).toEqual([]);
  });

  test("by one label is another container where there is no node, for nobody asks MagicDNS there", async () => {
    const alone = container("alone", { envs: ["POSTGRES_HOST=db"] });
    expect(await run([node, alone, NONE])).toMatchObject({
      notApplicable: "nothing in the stack connects over the tailnet",
    });
  });

  test("or by Stalwart's config file must be granted", async () => {
    const content = '[store.pg]\ntype = "postgresql"\nhost = "db.x.ts.net"\nport = 5432\n';
    const stalwart = container("stalwart", {
      networkMode: "container:ts",
      uploads: [{ file: "/etc/stalwart/config.toml", content }],
    });
    expect(await heads(node, stalwart, NONE)).toEqual([
      "uploads needs tag:app to reach db.x.ts.net:5432, the data store, and no grant opens that.",
    ]);
    const carrier = { ...stalwart, props: { ...stalwart.props, networkMode: "none" } };
    expect(await run([node, carrier, NONE])).toMatchObject({ notApplicable: expect.any(String) as string });
  });

  test.each([
    [["DATABASE_URL=postgres://u:p@db.example.org/app"]],
    [["DATABASE_URL=postgres://localhost/app", "PGHOST=127.0.0.1", "POSTGRES_HOST=203.0.113.9"]],
    [["POSTGRES_HOST=postgres"]],
    [["DB_HOST=db.x.ts.net"]],
    [["POSTGRES_HOST=alias"]],
    [["HOMEPAGE=https://db.x.ts.net/", "POSTGRES_HOST="]],
    [["PGHOST=/run/postgresql", "DATABASE_URL=postgres:///app?host=/run"]],
  ])("%j is not on the tailnet, or is no store", async (envs) => {
    const postgres = container("postgres", { networksAdvanced: [{ name: "own", aliases: ["alias"] }] });
    const other = container("other", { networksAdvanced: UNKNOWN_LIST });
    expect(await run([node, other, postgres, app(...envs), NONE])).toMatchObject({
      notApplicable: "nothing in the stack connects over the tailnet",
    });
  });

  test("is not quoted from a URL that carries a password", async () => {
    const url = `DATABASE_URL=postgres://application:swordfish1234@${HOST}:5432/application`;
    const found = await run([node, app(secret(url)), NONE]);
    expect(found.violations).toEqual([
      expect.stringMatching(/^envs \(DATABASE_URL\) needs tag:app to reach its host:5432, the data store/),
    ]);
    const some = await run([node, app(secret(url)), grants(["tag:app", "tag:db", "tcp:5432"])]);
    expect(some.notJudged).toEqual([
      expect.stringMatching(
        /^envs \(DATABASE_URL\) its host:5432: grants\[0\] may open it: whether its host carries tag:db/,
      ),
    ]);
  });
});

describe("a Caddy upstream", () => {
  const upload = (content: string, more: object = {}): TestResource =>
    container("caddy", {
      networkMode: "container:ts",
      uploads: [{ file: "/etc/caddy/Caddyfile", content, ...more }],
    });
  const json = (dial: unknown) =>
    JSON.stringify({
      apps: {
        http: {
          servers: { a: { routes: [{ handle: [{ handler: "reverse_proxy", upstreams: [{ dial }] }] }] } },
        },
      },
    });
  test.each([
    ["in JSON", upload(json("web.x.ts.net:8080"))],
    ["with its network in front", upload(json("tcp/web.x.ts.net:8080"))],
    ["as first of a range of ports", upload(json("web.x.ts.net:8080-8081"))],
    ["in a Caddyfile", upload("example.org {\n\treverse_proxy web.x.ts.net:8080\n}\n")],
    [
      "in a Caddyfile, as a URL",
      upload("example.org {\n  reverse_proxy /api/* http://web.x.ts.net:8080\n}\n"),
    ],
    [
      "in a Caddyfile's block",
      upload("example.org {\n  reverse_proxy {\n    to web.x.ts.net:8080\n  }\n}\n"),
    ],
    [
      "in a layer4 block",
      upload(
        "{\n  layer4 {\n    :25 {\n      route {\n        proxy web.x.ts.net:8080\n      }\n    }\n  }\n}\n",
      ),
    ],
    [
      "in an environment variable",
      container("caddy", {
        networkMode: "container:ts",
        envs: [`CADDY_CONFIG=${json("web.x.ts.net:8080")}`],
      }),
    ],
    [
      "inside other JSON",
      container("caddy", {
        networkMode: "container:ts",
        command: [JSON.stringify({ config: json("web.x.ts.net:8080") })],
      }),
    ],
  ])("%s must be granted", async (_, caddy) => {
    expect(await heads(node, caddy, NONE)).toEqual([
      expect.stringContaining(
        " needs tag:app to reach web.x.ts.net:8080, Caddy's upstream, and no grant opens that",
      ),
    ]);
    expect(await heads(node, caddy, grants(["tag:app", "*", "tcp:8080"]))).toEqual([]);
  });

  test.each([
    ["https://web.x.ts.net", 443],
    ["http://web.x.ts.net", 80],
    ["h2c://web.x.ts.net/api", 80],
  ])("%s has its scheme's port", async (upstream, port) => {
    expect(await heads(node, upload(`example.org {\n\treverse_proxy ${upstream}\n}\n`), NONE)).toEqual([
      expect.stringContaining(`to reach web.x.ts.net:${port}, Caddy's upstream`),
    ]);
  });

  test("in base64 must be granted", async () => {
    const contentBase64 = Buffer.from("example.org {\n\treverse_proxy web.x.ts.net:8080\n}\n").toString(
      "base64",
    );
    const caddy = container("caddy", {
      networkMode: "container:ts",
      uploads: [{ file: "/etc/caddy/Caddyfile", contentBase64 }],
    });
    expect(await heads(node, caddy, NONE)).toEqual([expect.stringContaining("to reach web.x.ts.net:8080")]);
  });

  test.each([
    ["a placeholder", upload(json("{http.request.host}:8080"))],
    ["a socket", upload(json("unix//run/app.sock"))],
    ["this machine", upload(json("127.0.0.1:8080"))],
    ["a public host", upload(json("www.example.org:8080"))],
    [
      "a comment",
      upload("example.org {\n  # reverse_proxy web.x.ts.net:8080\n  reverse_proxy localhost:80\n}\n"),
    ],
    ["another program's dial", container("x", { envs: ["dial=web.x.ts.net:8080"] })],
  ])("that is %s needs no grant", async (_, caddy) => {
    expect(await run([node, caddy, NONE])).toMatchObject({ notApplicable: expect.any(String) as string });
  });

  test("handed over by a command is the container's own, whose component tells its node's tag", async () => {
    const stdin = json("web.x.ts.net:8080");
    const edge = component("CaddyEdge", { tag: "tag:edge" });
    const caddy = container("edge", {
      networkMode: "host",
      labels: [{ label: "tailwart.role", value: "edge" }],
    });
    const reload = (more: object): TestResource => ({
      type: "command:local:Command",
      name: "reload",
      props: { create: "docker exec", stdin, triggers: [stdin] },
      ...more,
    });
    const found = [expect.stringMatching(/^stdin apps\.http.* needs tag:edge to reach web\.x\.ts\.net:8080/)];
    expect(await heads(edge, caddy, reload({ parent: urnOf(edge) }), NONE)).toEqual(found);
    const comesFrom = { propertyDependencies: { environment: [urnOf(caddy)] } };
    expect(await heads(edge, caddy, reload(comesFrom), NONE)).toEqual(found);
    expect(await heads(edge, caddy, reload(comesFrom), grants(["tag:edge", "*", "tcp:8080"]))).toEqual([]);
    expect(await heads(edge, caddy, reload({}), NONE)).toEqual([
      expect.stringContaining("needs its node to reach"),
    ]);
  });
});

describe("the admin listener", () => {
  const listener = (bind: string, more: object = {}): TestResource =>
    settings({ "server.listener.admin.bind": bind, "server.listener.admin.protocol": "http", ...more });
  const sidecar = component("TailnetSidecar", { hostname: "mail", tag: "tag:stalwart" });
  test("that nobody may reach is refused", async () => {
    const acl = grants(["tag:edge", "tag:stalwart", "tcp:25"], ["tag:stalwart", "tag:stalwart", "*"]);
    const { violations } = await run([sidecar, listener("0.0.0.0:8080"), acl]);
    expect(violations).toEqual([
      expect.stringMatching(
        /^settings\["server\.listener\.admin\.bind"\] listens for operators on port 8080, which no grant lets anybody reach\./,
      ),
    ]);
    expect(violations[0]).toContain(
      'instead: { "src": ["autogroup:admin"], "dst": ["tag:stalwart"], "ip": ["tcp:8080"] }',
    );
  });

  test("that only the component's args tell is refused, once where the settings tell it too", async () => {
    const args = {
      listeners: [
        { protocol: "http", port: 8080, proxy: false, bind: "0.0.0.0" },
        { protocol: "http", port: 443, proxy: true },
        { protocol: "smtp", port: 26, proxy: false },
        { protocol: "http", port: 8081, bind: "127.0.0.1" },
      ],
    };
    const mail = component("MailSettings", { settings: args });
    const what = "listens for operators on port 8080, which no grant lets anybody reach.";
    expect(await heads(sidecar, mail, NONE)).toEqual([`settings.listeners[0] ${what}`]);
    expect(await heads(sidecar, mail, listener("0.0.0.0:8080"), NONE)).toEqual([
      `settings["server.listener.admin.bind"] ${what}`,
    ]);
    const unknown = component("MailSettings", { settings: { listeners: UNKNOWN_LIST } });
    expect((await run([sidecar, unknown, NONE])).notJudged).toEqual([
      "settings.listeners: unknown until the update",
    ]);
  });

  test.each([
    ["somebody may reach", listener("0.0.0.0:8080"), grants(["group:ops", "tag:stalwart", "tcp:8080"])],
    ["listens for this machine alone", listener("127.0.0.1:8080"), NONE],
    [
      "takes the PROXY protocol",
      listener("[::]:443", { "server.listener.admin.proxy.trusted-networks.0000": "100.64.0.0/10" }),
      NONE,
    ],
    [
      "is not HTTP",
      settings({ "server.listener.imap.bind": "0.0.0.0:143", "server.listener.imap.protocol": "imap" }),
      NONE,
    ],
  ])("that %s passes", async (_, one, acl) => {
    expect(await run([sidecar, one, acl])).toEqual(PASSED);
  });

  test("that one may reach under a condition is not judged", async () => {
    const acl = document({
      grants: [{ src: ["group:ops"], dst: ["tag:stalwart"], ip: ["*"], srcPosture: ["posture:new"] }],
    });
    expect(await run([sidecar, listener("0.0.0.0:8080"), acl])).toEqual({
      violations: [],
      notJudged: [
        'settings["server.listener.admin.bind"]: grants[0] may open it: it asks for the posture posture:new',
      ],
    });
  });
});

describe("the tags of a connection's ends come from", () => {
  const needs = (...stack: TestResource[]) =>
    run([...stack, NONE]).then(({ violations }) => violations[0] ?? "");
  const relay = `RELAY_HOST=${HOST}`;
  test("the auth key that the node uses, one among several", async () => {
    const key = (name: string, tag: string): TestResource => ({
      type: "tailscale:index/tailnetKey:TailnetKey",
      name,
      props: { tags: [tag] },
    });
    const [one, two] = [key("one", "tag:one"), key("two", "tag:two")];
    const plain = (input: string): TestResource =>
      container(
        "ts",
        { image: "tailscale/tailscale:v1", envs: [UNKNOWN] },
        { propertyDependencies: { [input]: [urnOf(two)] } },
      );
    expect(await needs(one, two, plain("envs"), app(relay))).toContain("needs tag:two to reach");
    expect(await needs(one, two, plain("uploads"), app(relay))).toContain("needs tag:two to reach");
    expect(await needs(one, two, plain("labels"), app(relay))).toContain("needs its node to reach");
    expect(await needs(two, plain("labels"), app(relay))).toContain("needs tag:two to reach");
  });

  test("the node's component, one among several", async () => {
    const [one, two] = ["one", "two"].map((name): TestResource => ({
      ...component("TailnetSidecar", { tag: `tag:${name}` }),
      name,
    })) as [TestResource, TestResource];
    const plain = container("ts", { envs: ["TS_HOSTNAME=app"] }, { parent: urnOf(two) });
    expect(await needs(one, two, plain, app(relay))).toContain("needs tag:two to reach");
  });

  test("the only node of the stack, for a component without a sidecar of its own", async () => {
    const mail = component("MailSettings", { relays: [{ host: HOST, port: 587 }] });
    expect(await needs(node, mail)).toContain("needs tag:app to reach");
    const second = container("ts2", { envs: ["TS_HOSTNAME=b", "TS_EXTRA_ARGS=--advertise-tags=tag:b"] });
    expect(await needs(node, second, mail)).toContain("needs its node to reach");
    expect(await needs(mail)).toContain("needs its node to reach");
  });

  test("a node whose namespace is joined by way of another container", async () => {
    const between = container("between", { networkMode: "container:ts" });
    const last = container("app", { envs: [relay], networkMode: "container:between" });
    expect(await needs(node, between, last)).toContain("needs tag:app to reach");
  });

  test("the policy config, which also puts a host of any name on the tailnet", async () => {
    const stack = [node, app("RELAY_HOST=relay.example.org:587"), NONE];
    const { violations } = await run(stack, { hosts: { "relay.example.org": "tag:mail" } });
    expect(violations).toEqual([expect.stringContaining("to reach relay.example.org:587")]);
    expect(await run(stack, { hosts: { "other.example.org": "tag:mail" } })).toMatchObject({
      notApplicable: expect.any(String) as string,
    });
  });

  test("the anchor that both containers join, also before it has an id", async () => {
    const anchor = container("anchor", { labels: [{ label: "tailwart.role", value: "anchor" }] });
    const joined = { propertyDependencies: { networkMode: [urnOf(anchor)] } };
    const sidecar = container("ts", { ...node.props, networkMode: UNKNOWN }, joined);
    const stalwart = container("stalwart", { envs: [relay], networkMode: UNKNOWN }, joined);
    expect(await needs(anchor, sidecar, stalwart)).toContain("needs tag:app to reach");
    const literal = (name: string, props: object) =>
      container(name, { ...props, networkMode: "container:abc" });
    expect(await needs(literal("ts", node.props), literal("stalwart", { envs: [relay] }))).toContain(
      "needs tag:app to",
    );
    expect(await needs(literal("ts", node.props), container("stalwart", { envs: [relay] }))).toContain(
      "needs its node to",
    );
  });

  test("the policy config, for a container and for a host", async () => {
    const caddy = container("web", { networkMode: "host", envs: [relay] });
    const acl = grants(["tag:edge", "tag:mail", "tcp:25"]);
    const { notJudged } = await run([caddy, acl]);
    expect(notJudged).toEqual([
      `envs (RELAY_HOST) ${HOST}:25: grants[0] may open it: whether the node carries tag:edge cannot be told (tailnet-flows-granted.sources in the policy config names the node it connects through)`,
    ]);
    const sources = { web: "tag:edge" };
    expect((await run([caddy, acl], { sources })).notJudged).toEqual([
      `envs (RELAY_HOST) ${HOST}:25: grants[0] may open it: whether ${HOST} carries tag:mail cannot be told (tailnet-flows-granted.hosts in the policy config names a host's tag)`,
    ]);
    const hosts = { "mailbox.tail7b1641.ts.net": "tag:mail" };
    expect(await run([caddy, acl], { hosts, sources })).toEqual(PASSED);
    const other = await run([caddy, acl], { hosts, sources: { web: "tag:other" } });
    expect(other.violations).toEqual([expect.stringContaining("needs tag:other to reach")]);
  });

  test("the sidecar component's own name and tag; a component's host of one label is one of the tailnet", async () => {
    const sidecar = component("TailnetSidecar", { hostname: "mail", tag: "tag:stalwart" });
    const web = container("web", { envs: ["RELAY_HOST=mail.tail7b1641.ts.net"] });
    expect(await heads(sidecar, web, grants(["*", "tag:stalwart", "tcp:25"]))).toEqual([]);
    expect(await heads(sidecar, web, grants(["*", "tag:mail", "tcp:25"]))).toHaveLength(1);
    const settings = component("MailSettings", { relays: [{ host: "mailbox", port: 587 }] });
    expect(await heads(sidecar, settings, NONE)).toEqual([
      expect.stringContaining("relays[0].host needs tag:stalwart to reach mailbox:587"),
    ]);
  });

  test("the policy component's nodes, and the sidecar's own name", async () => {
    const nodes = component("TailnetPolicy", { nodes: { [HOST]: ["tag:mail"] }, flows: [] });
    expect(await heads(node, nodes, app(relay), grants(["tag:app", "tag:mail", "tcp:25"]))).toEqual([]);
    expect(await heads(node, nodes, app(relay), grants(["tag:app", "tag:db", "tcp:25"]))).toHaveLength(1);
    const web = container("web", { envs: ["RELAY_HOST=app.tail7b1641.ts.net"] });
    expect(await heads(node, web, grants(["*", "tag:app", "tcp:25"]))).toEqual([]);
    expect(await heads(node, web, grants(["*", "tag:mail", "tcp:25"]))).toHaveLength(1);
  });
});

describe("tailnet-flows-granted does not judge", () => {
  const relay = app(`RELAY_HOST=${HOST}:587`);
  test("by an unknown or unreadable policy file", async () => {
    const acl = (text: string): TestResource => ({ ...NONE, props: { acl: text } });
    expect(await run([node, relay, acl(UNKNOWN)])).toEqual({
      violations: [],
      notJudged: ["acl: the tailnet policy file is unknown until the update"],
    });
    expect((await run([node, relay, acl("{")])).notJudged).toEqual([expect.stringContaining("as HuJSON")]);
  });

  test("unknown variables of a container on the tailnet, and judges those beside", async () => {
    const { violations, notJudged } = await run([node, app(UNKNOWN, `RELAY_HOST=${HOST}:587`), NONE]);
    expect(violations).toHaveLength(1);
    expect(notJudged).toEqual([expect.stringMatching(/^envs\[[01]\]: unknown until the update$/)]);
    const list = { envs: UNKNOWN_LIST, networkMode: "container:ts" };
    const made = container("app", list, { propertyDependencies: { envs: [urnOf(node)] } });
    expect((await run([node, made, NONE])).notJudged).toEqual(["envs: unknown until the update"]);
    // The program gives none, and the engine does not know what the image adds.
    expect((await run([node, container("app", list), NONE])).notJudged).toEqual([]);
    const offline = container("web", { envs: [UNKNOWN] });
    expect(await run([node, offline, NONE])).toMatchObject({
      notJudged: [],
      notApplicable: expect.any(String) as string,
    });
  });

  test("nothing of a command's variables, which name no connection", async () => {
    const command: TestResource = {
      type: "command:local:Command",
      name: "migrate",
      props: { create: "migrate", environment: { postgres: UNKNOWN } },
    };
    expect(await run([node, relay, command, grants(["tag:app", "*", "tcp:587"])])).toEqual(PASSED);
  });

  test("unknown settings, as far as they could name a connection", async () => {
    const sidecar = component("TailnetSidecar", { tag: "tag:stalwart", postgres: UNKNOWN_OBJECT });
    const keys = {
      "queue.route.a.address": UNKNOWN,
      "storage.data": UNKNOWN,
      "store.pg.host": "db.x.ts.net",
    };
    const { violations, notJudged } = await run([
      sidecar,
      settings(keys, { fileSettings: UNKNOWN_OBJECT }),
      NONE,
    ]);
    expect(violations).toEqual([expect.stringContaining("to reach db.x.ts.net:5432")]);
    expect(notJudged).toEqual([
      "fileSettings: unknown until the update",
      'settings["queue.route.a.address"]: unknown until the update',
      "postgres: unknown until the update",
    ]);
  });

  test("a flow that hangs on a condition", async () => {
    const acl = document({ grants: [{ src: ["tag:app"], dst: ["*"], ip: ["*"], via: ["tag:router"] }] });
    expect((await run([node, relay, acl])).notJudged).toEqual([
      expect.stringContaining(":587: grants[0] may open it: it only holds via tag:router"),
    ]);
  });
});

describe("tailnet-flows-granted does not concern", () => {
  test.each([
    [
      "a stack without a policy file",
      [node, app(`RELAY_HOST=${HOST}`)],
      "the stack has no tailnet policy file",
    ],
    [
      "a stack that uses no tailnet",
      [container("web", { envs: ["A=b"] }), NONE],
      "nothing in the stack connects",
    ],
    [
      "the flow table itself",
      [component("TailnetPolicy", { relay: HOST, flows: [{ host: HOST, relay: HOST }] }), NONE],
      "nothing in the stack",
    ],
  ])("%s", async (_, stack, reason) => {
    expect(await run(stack)).toEqual({ ...PASSED, notApplicable: expect.stringContaining(reason) as string });
  });
});

describe("a wrong config", () => {
  test.each([
    [{ host: {} }, "tailnet-flows-granted.host is no key of this policy; write one of hosts, sources"],
    [{ hosts: ["tag:mail"] }, "tailnet-flows-granted.hosts accepts an object of tags"],
    [{ hosts: { a: "mail" } }, "tailnet-flows-granted.hosts accepts an object of tags"],
    [
      { sources: { a: 7 } },
      'tailnet-flows-granted.sources accepts an object of tags; write for example {"caddy": "tag:reverse-proxy"}',
    ],
  ])("%j is refused", (raw, message) => {
    expect(() => parseFlowSettings(raw)).toThrow(message);
  });
});

describe("whatever stands in the stack", () => {
  const pieces = fc.constantFrom(
    ...":/@[]{}%.,; \n\t\"'",
    "reverse_proxy ",
    "to ",
    '{"dial":"',
    "smtp://",
    "postgres://",
    "db.x.ts.net",
    ":25",
    "tag:app",
    "*",
    "100.64.0.0/10",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 30 }).map((list) => list.join("")),
    fc.json(),
  );
  const names = ["RELAY_HOST", "DATABASE_URL", "PGHOST", "TS_EXTRA_ARGS", "CADDY"];
  const selectors = fc.array(fc.oneof(pieces, text), { maxLength: 3 });
  const rule = fc.record({
    src: selectors,
    dst: selectors,
    ip: selectors,
    via: fc.oneof(selectors, fc.json()),
  });
  const odd = fc.oneof(
    fc.json(),
    fc
      .record({ grants: fc.array(rule), acls: fc.array(rule), hosts: fc.dictionary(text, text) })
      .map((file) => JSON.stringify(file)),
  );

  test("nothing is thrown: an exception would end the whole preview", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 5, maxLength: 5 }), odd, async (values, acl) => {
        const envs = values.map((value, i) => `${names[i]}=${value}`);
        const file = { file: "/etc/caddy/Caddyfile", content: values.join("\n") };
        const caddy = container("caddy", { uploads: [file], envs, networkMode: "container:ts" });
        const keys = {
          "store.a.host": values[0],
          "server.listener.a.bind": values[1],
          "server.listener.a.protocol": "http",
        };
        expect(await run([node, caddy, settings(keys), document(acl)])).not.toHaveProperty("blind");
      }),
      { numRuns: Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 500) },
    );
  }, 300_000);

  test("long texts do not take long", async () => {
    const started = performance.now();
    const content = `reverse_proxy${"\n ".repeat(100_000)}${"to a:1 ".repeat(20_000)}${"a".repeat(100_000)}`;
    const caddy = container("caddy", {
      uploads: [{ file: "/x", content }],
      envs: [`RELAY_HOST=${"a".repeat(50_000)}.x.ts.net`, `DATABASE_URL=postgres://${"@:".repeat(50_000)}`],
      networkMode: "container:ts",
    });
    expect((await run([node, caddy, NONE])).blind).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
