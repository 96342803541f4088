import { describe, expect, test } from "vitest";

import { configSchema } from "../../../config/schema.ts";
import { componentArgs } from "../../../config/component-args.ts";
import { MAIL_SERVICES } from "../../../lib/mail-services.ts";
import { validConfig } from "../../fixtures/config.ts";

const config = configSchema.parse(validConfig());
const plan = componentArgs(config);

describe("the plan", () => {
  test("says which line of Stalwart runs on which data store, so that another line is refused", () => {
    const dataStore = "the-record-prod.tail7b1641.ts.net:5432/stalwart";
    const deployed = (image: string) => {
      const stalwart = `${image}@sha256:${"0".repeat(64)}`;
      return componentArgs({ ...config, images: { ...config.images, stalwart } }).deployed;
    };
    expect(deployed("stalwartlabs/stalwart:v0.15.5")).toEqual({
      line: "0.15",
      dataStore,
      blobStore: "postgres",
      dockerHost: "ssh://root@kvm.example.org",
    });
  });

  test("says where messages lie, so that another place is refused", () => {
    const endpoint = "https://s3.tail7b1641.ts.net";
    const blobStore = {
      type: "s3" as const,
      bucket: "mail",
      region: "auto",
      endpoint,
      accessKey: "key",
      timeout: 30,
    };
    const { deployed } = componentArgs({ ...config, settings: { ...config.settings, blobStore } });
    expect(deployed.blobStore).toBe(`${endpoint}/mail/`);
  });

  test("takes the server's further settings as they are, with the addresses that are always allowed", () => {
    const more = {
      allowedIps: ["192.0.2.0/24"],
      connectTimeout: 10,
      logLevel: "debug",
      mtaSts: { mode: "enforce" },
    };
    const { settings } = componentArgs(configSchema.parse({ ...validConfig(), settings: more }));
    expect(settings).toMatchObject({
      outbound: { route: "smarthost", connectTimeout: 10 },
      logLevel: "debug",
      mtaSts: { mode: "enforce", maxAge: 7 },
    });
    expect(settings.allowedIps).toEqual([
      "100.64.0.0/10",
      "fd7a:115c:a1e0::/48",
      "198.51.100.7",
      "192.0.2.0/24",
    ]);
  });

  test("refuses what the line of Stalwart does not offer, by the config's own key", () => {
    const ofLine = (line: string, more: object) => () =>
      componentArgs(configSchema.parse({ ...validConfig(), accounts: [], stalwart: { line }, ...more }));
    const expiring = { settings: { autoBan: { expireAfter: "1d" } } };
    expect(ofLine("0.15", expiring)).toThrow(
      /Stalwart 0\.15 does not offer; nothing was changed\.\n {2}tailwart:settings\.autoBan\.expireAfter: .*leave it out/,
    );
    expect(ofLine("0.16", expiring)).not.toThrow();
    const takeOver = { settings: { takeOver: true } };
    expect(ofLine("0.15", takeOver)).toThrow(
      /tailwart:settings\.takeOver: a first deploy of the 0\.15 line .*accepts false/,
    );
    expect(ofLine("0.16", takeOver)().takeOver).toBe(true);
    expect(plan.takeOver).toBe(false);
    expect(
      ofLine("0.16", { accounts: [{ address: "alice@example.org" }, { address: "admin@example.org" }] }),
    ).toThrow(/tailwart:accounts\[1\]\.address: is the administrator's own address/);
    const alice = "alice@example.org";
    const group = { address: "info@example.org", aliases: ["admin@example.org"], members: [alice] };
    expect(ofLine("0.16", { accounts: [{ address: alice }], groups: [group] })).toThrow(
      /tailwart:groups\[0\]\.aliases\[0\]: is the administrator's own address/,
    );
    const client = {
      id: "le",
      contact: ["a@example.org"],
      names: ["mail.example.org"],
      challenge: "http-01",
    };
    expect(ofLine("0.16", { acme: [{ ...client, renewBefore: 29 }] })).toThrow(
      /tailwart:acme\[0\]\.renewBefore: /,
    );
  });

  test("names Postgres, relay and Stalwart by their full MagicDNS names everywhere (lesson 6)", () => {
    expect(plan.sidecar.postgres.host).toBe("the-record-prod.tail7b1641.ts.net");
    expect(plan.settings.postgres.host).toBe(plan.sidecar.postgres.host);
    expect(plan.verification.postgres).toEqual(plan.sidecar.postgres);
    expect(plan.settings.relays[0]?.host).toBe("mailbox.tail7b1641.ts.net");
    expect(plan.edges[0]?.names.magicDns).toBe("stalwart.tail7b1641.ts.net");
    expect(plan.verification.relay.host).toBe("mailbox.tail7b1641.ts.net");
    expect(plan.upstreamHost).toBe("stalwart.tail7b1641.ts.net");
  });

  test("holds no address of the tailnet, only its ranges", () => {
    const addresses = JSON.stringify(plan).match(
      /\b100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+(\/\d+)?/g,
    );
    expect(new Set(addresses)).toEqual(new Set(["100.64.0.0/10"]));
  });

  test("sends what is not local to the relay by a route that exists (lessons 10 and 14)", () => {
    expect(plan.settings.relays.map(({ name }) => name)).toContain(plan.settings.outbound.route);
  });

  test("demands a PROXY header on every public listener, and none on those for the admin and the watch (decision 8)", () => {
    const withoutProxy = plan.settings.listeners.filter(({ proxy }) => !proxy);
    expect(withoutProxy.map(({ name, port }) => [name, port])).toEqual([
      ["admin", 8080],
      ["watch", 10025],
    ]);
  });

  test("has a listener for the watch that loopback alone reaches: no flow, no grant, no edge, no PROXY", () => {
    const watch = plan.settings.listeners.find(({ name }) => name === "watch");
    expect(watch).toMatchObject({ protocol: "smtp", bind: "127.0.0.1", proxy: false });
    const told = [plan.flows, plan.policy, plan.edges, plan.verification].map((part) => JSON.stringify(part));
    for (const part of told) expect(part).not.toContain(String(watch?.port));
    expect(Object.values(MAIL_SERVICES).map(({ port }) => port)).not.toContain(watch?.port);
  });

  test("has the same ports in Stalwart's listeners, in the edge and in the edge's grants", () => {
    const publicPorts = plan.settings.listeners.filter(({ proxy }) => proxy).map(({ port }) => port);
    const edgeFlows = plan.flows.filter(({ from }) => from === config.tailnet.tags.edge);
    expect(publicPorts).toEqual([25, 465, 587, 993, 4190, 443]);
    expect(plan.services.map(({ port }) => port)).toEqual(publicPorts);
    expect(edgeFlows.map(({ port }) => port)).toEqual(publicPorts);
  });

  test("offers IMAP with STARTTLS and POP3 only where they are asked for, then everywhere", () => {
    const { settings, services, flows, policy } = componentArgs({
      ...config,
      services: ["smtp", "imap", "pop3s"],
    });
    const listeners = settings.listeners.filter(({ proxy }) => proxy);
    expect(
      listeners.map(({ name, protocol, port, implicitTls }) => [name, protocol, port, implicitTls]),
    ).toEqual([
      ["smtp", "smtp", 25, false],
      ["imap", "imap", 143, false],
      ["pop3s", "pop3", 995, true],
    ]);
    expect(services.map(({ port }) => port)).toEqual([25, 143, 995]);
    expect(flows.filter(({ to }) => to === "tag:stalwart").map(({ port }) => port)).toEqual([
      25, 143, 995, 8080,
    ]);
    expect(policy.proxy).toEqual({ tag: "tag:stalwart", edge: "tag:reverse-proxy", ports: [25, 143, 995] });
  });

  test("grants nothing towards a database and a relay that are not on the tailnet, and wants no tag for them", () => {
    const elsewhere = componentArgs({
      ...config,
      postgres: { ...config.postgres, host: "db.example.net", tls: true },
      relay: { ...config.relay, host: "smtp.example.net", tls: "starttls" },
    });
    expect(elsewhere.flows.map(({ to }) => to)).not.toEqual(expect.arrayContaining(["tag:db"]));
    expect(elsewhere.policy.tags).toEqual(["tag:stalwart", "tag:reverse-proxy"]);
    expect(elsewhere.policy.nodes).toEqual({ "stalwart.tail7b1641.ts.net": ["tag:stalwart"] });
    expect(elsewhere.settings.postgres).toMatchObject({ host: "db.example.net", tls: true });
    expect(plan.policy.tags).toEqual(["tag:stalwart", "tag:reverse-proxy", "tag:db", "tag:mail"]);
  });

  describe("with Redis and S3", () => {
    const store = { type: "redis", host: "cache" };
    const blobs = { type: "s3", bucket: "mail", accessKey: "AKIA", endpoint: "http://minio:9000" };
    const withStores = (inMemoryStore: object, blobStore: object) =>
      componentArgs(configSchema.parse({ ...validConfig(), settings: { inMemoryStore, blobStore } }));
    const ofStores = ({ flows }: ReturnType<typeof componentArgs>) =>
      flows
        .filter(({ to }) => to === "tag:redis" || to === "tag:s3")
        .map(({ from, to, port, why }) => [from, to, port, why]);

    test("on the tailnet: grants Stalwart their ports, wants their tags, and names their machines in full", () => {
      const on = withStores(store, blobs);
      expect(ofStores(on)).toEqual([
        ["tag:stalwart", "tag:redis", 6379, "Stalwart's in-memory store"],
        ["tag:stalwart", "tag:s3", 9000, "Stalwart's blob store"],
      ]);
      expect(on.policy.tags).toEqual(expect.arrayContaining(["tag:redis", "tag:s3"]));
      expect(on.policy.nodes).toMatchObject({
        "cache.tail7b1641.ts.net": ["tag:redis"],
        "minio.tail7b1641.ts.net": ["tag:s3"],
      });
      expect(on.settings.inMemoryStore?.host).toBe("cache.tail7b1641.ts.net");
      expect(on.settings.blobStore?.endpoint).toBe("http://minio.tail7b1641.ts.net:9000");
      expect(on.verification).toMatchObject({
        redis: { host: "cache.tail7b1641.ts.net", port: 6379 },
        s3: { host: "minio.tail7b1641.ts.net", port: 9000 },
      });
    });

    test("on Postgres' machine: it carries the tag of each", () => {
      const { policy } = withStores({ ...store, host: "the-record-prod.tail7b1641.ts.net" }, blobs);
      expect(policy.nodes["the-record-prod.tail7b1641.ts.net"]).toEqual(["tag:db", "tag:redis"]);
    });

    test("elsewhere: grants nothing towards them", () => {
      const off = withStores(
        { ...store, host: "redis.example.net", tls: true, username: "stalwart" },
        { ...blobs, endpoint: "https://[2001:db8::9]" },
      );
      expect(ofStores(off)).toEqual([]);
      expect(off.policy.tags).not.toEqual(expect.arrayContaining(["tag:redis"]));
      expect(off.settings.inMemoryStore?.auth).toEqual({
        username: "stalwart",
        secretFile: "/etc/stalwart/secrets/redis",
      });
      expect(off.settings.blobStore?.endpoint).toBe("https://[2001:db8::9]");
      expect(off.verification).toMatchObject({ s3: { host: "[2001:db8::9]", port: 443 } });
    });

    test("refuses Redis' login from 0.16 on, by the config's own key", () => {
      const ofLine = (line: string) => () =>
        componentArgs(
          configSchema.parse({
            ...validConfig(),
            stalwart: { line },
            settings: { inMemoryStore: { ...store, username: "stalwart" } },
          }),
        );
      expect(ofLine("0.16")).toThrow(
        /tailwart:settings\.inMemoryStore\.username: .*in clear.*the grant alone/,
      );
      expect(ofLine("0.15")).not.toThrow();
    });
  });

  test("never lets Stalwart ban the tailnet or the edge's public address (lesson 3)", () => {
    expect(plan.settings.allowedIps).toEqual(["100.64.0.0/10", "fd7a:115c:a1e0::/48", "198.51.100.7"]);
  });

  test("passes a relay login on as a file's name, and leaves it out where none is configured", () => {
    expect(plan.settings.relays[0]).not.toHaveProperty("auth");
    const withLogin = componentArgs({ ...config, relay: { ...config.relay, username: "relay" } });
    expect(withLogin.settings.relays[0]?.auth).toEqual({
      username: "relay",
      secretFile: "/etc/stalwart/secrets/relay",
    });
  });

  test("gives every account an address in the mail domain", () => {
    expect(plan.settings.accounts).toEqual([{ name: "alice", emails: ["alice@example.org"] }]);
  });

  test("calls a group and its members as it calls accounts", () => {
    const people = {
      domains: [{ name: "example.org" }, { name: "example.net" }],
      accounts: [{ address: "alice@example.org" }, { address: "bob@example.net" }],
      groups: [
        {
          address: "info@example.org",
          aliases: ["info@example.net"],
          members: ["alice@example.org", "bob@example.net"],
          quota: "5G",
        },
      ],
    };
    expect(componentArgs(configSchema.parse({ ...validConfig(), ...people })).settings.groups).toEqual([
      {
        name: "info",
        emails: ["info@example.org", "info@example.net"],
        members: ["alice", "bob@example.net"],
        quota: "5G",
      },
    ]);
  });
});
