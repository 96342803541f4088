/**
 * The settings of Stalwart 0.16 and later, against a fake of its registry; the requests go through
 * the real pipe.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PartialError } from "../../../../provider/plugin/partial-error.ts";
import type { RegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { diffProperties, UNKNOWN } from "../../../../provider/plugin/diff.ts";
import { convergeRegistry } from "../../../../provider/registry/converge.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import { RegistryResource } from "../../../../provider/registry/resource.ts";
import type { RegistryState } from "../../../../provider/registry/state.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { fakeTransport, registryTransport } from "../../../fakes/fake-transport.ts";
import { registryObjects, VIA_SMARTHOST } from "./objects.ts";

const RELAY_SECRET = "/etc/stalwart/secrets/relay";

const desired = (more: Partial<StalwartSettingsInput> = {}) =>
  registryObjects({
    ...VIA_SMARTHOST,
    listeners: [
      { name: "smtp", protocol: "smtp", port: 25 },
      { name: "sieve", protocol: "managesieve", port: 4190 },
      { name: "admin", protocol: "http", port: 8080, proxy: false },
    ],
    ...more,
  });

let fake: FakeRegistry;
let base: string;
let api: RegistryApi;

beforeEach(async () => {
  fake = new FakeRegistry();
  fake.readableFiles.add(RELAY_SECRET);
  base = await fake.listen();
  api = new RegistryApi(transport(), base);
});
afterEach(() => fake.close());

const transport = () => registryTransport(() => fake);
const up = (objects: RegistryObjects, previous: RegistryObjects = {}) =>
  convergeRegistry(api, objects, previous);
const inForce = (object: string, label: string, value: string) =>
  fake.inForce(object).find((row) => row[label] === value);
const sets = () => fake.requests.filter((request) => request.startsWith("set ") && request !== "set Action");

describe("the first apply", () => {
  test("puts everything into force, each row written once, routes before the strategy that names them", async () => {
    const objects = desired();
    const done = await up(objects);
    // The in-memory store is Postgres already.
    expect(done).toEqual({ writes: Object.keys(objects).length - 1, restarted: true });
    expect(inForce("MtaRoute", "name", "smarthost")).toMatchObject({
      "@type": "Relay",
      address: "mailbox.tail.test",
      port: 587,
      allowInvalidCerts: true,
    });
    expect(inForce("MtaOutboundStrategy", "id", "singleton")?.["route"]).toEqual({
      match: { 0: { if: "is_local_domain(rcpt_domain)", then: "'local'" } },
      else: "'smarthost'",
    });
    expect(sets().indexOf("set MtaRoute")).toBeLessThan(sets().indexOf("set MtaOutboundStrategy"));
  });

  test("leaves the marker last, after the reload and the read-back: whoever finds it finds everything in force", async () => {
    await up(desired());
    const at = fake.requests.lastIndexOf("set MtaConnectionStrategy");
    const before = fake.requests.slice(0, at);
    expect(before.lastIndexOf("set Action")).toBeGreaterThan(before.lastIndexOf("set MtaOutboundStrategy"));
    expect(before.lastIndexOf("get MtaOutboundStrategy")).toBeGreaterThan(before.lastIndexOf("set Action"));
    expect(fake.requests.slice(at + 1).filter((request) => request.startsWith("set "))).toEqual([]);
    expect(fake.restarts).toBe(1);
  });

  test("stores that no files of addresses are fetched, before the first start would store that they are", async () => {
    await up(desired());
    expect(fake.inForce("Asn")).toMatchObject([{ "@type": "Disabled" }]);
    fake.restart();
    expect(fake.inForce("Asn")).toMatchObject([{ "@type": "Disabled" }]);
  });

  test("keeps the marker when the restart fails: what it stands for is in force at the next start", async () => {
    const restart = () => {
      fake.restart();
      return Promise.resolve({ status: 1, stdout: "", stderr: "no such container" });
    };
    const failed = convergeRegistry(new RegistryApi(fakeTransport({ restart }), base), desired(), {});
    await expect(failed).rejects.toThrow("could not be restarted: no such container");
    expect(inForce("MtaConnectionStrategy", "name", "tailwart-applied")).toBeDefined();
    expect(inForce("MtaRoute", "name", "smarthost")).toBeDefined();
  });

  test("fails where the server could not open a port, names it, and leaves all else in force", async () => {
    const said = (ports: string) =>
      `tailwart: gate: Postgres db:5432 answers\n${ports}tailwart: gate: Postgres db:5432 answers\n`;
    const refusal =
      'ERROR Configuration build error (registry.build-error) source = "NetworkListener", id = 7, ' +
      'reason = "Failed to bind to 0.0.0.0:25: Address already in use (os error 98)"\n';
    const over = (log: string) => {
      const inspect = () => Promise.resolve({ exists: true, running: true, log });
      return new RegistryApi(fakeTransport({ restart: transport().restart, inspect }), base);
    };
    const failed = convergeRegistry(over(said("") + refusal), desired(), {});
    await expect(failed).rejects.toThrow(/0\.0\.0\.0:25: Address already in use/);
    await expect(failed).rejects.toBeInstanceOf(PartialError);
    expect(inForce("MtaConnectionStrategy", "name", "tailwart-applied")).toBeDefined();
    // What an earlier start could not open, the last one could.
    await convergeRegistry(over(said(refusal)), desired(), desired());
  });

  test("gives each listener its own trust, and the admin's none", async () => {
    await up(desired());
    expect(inForce("NetworkListener", "name", "smtp")).toMatchObject({
      bind: { "0.0.0.0:25": true },
      useTls: true,
      overrideProxyTrustedNetworks: { "100.64.0.0/10": true, "fd7a:115c:a1e0::/48": true },
    });
    expect(inForce("NetworkListener", "name", "admin")).toMatchObject({
      useTls: false,
      overrideProxyTrustedNetworks: {},
    });
    expect(inForce("NetworkListener", "name", "sieve")).toMatchObject({ protocol: "manageSieve" });
    expect(inForce("SystemSettings", "id", "singleton")).toMatchObject({ proxyTrustedNetworks: {} });
  });

  test("publishes nothing in DNS for a domain", async () => {
    await up(desired());
    expect(inForce("Domain", "name", "lab.test")).toMatchObject({
      certificateManagement: { "@type": "Manual" },
      dnsManagement: { "@type": "Manual" },
    });
  });

  test("keeps a relay's password in a file, verifies its certificate, and never the default rule's way", async () => {
    await up(
      desired({
        relays: [
          {
            name: "smarthost",
            host: "relay.example.org",
            tls: "starttls",
            auth: { username: "u", secretFile: RELAY_SECRET },
          },
        ],
      }),
    );
    expect(inForce("MtaRoute", "name", "smarthost")).toMatchObject({
      authUsername: "u",
      authSecret: { "@type": "File", filePath: RELAY_SECRET },
      allowInvalidCerts: false,
    });
    expect(inForce("MtaTlsStrategy", "name", "relay-smarthost")).toMatchObject({ startTls: "require" });
    expect(inForce("MtaOutboundStrategy", "id", "singleton")?.["tls"]).toEqual({
      match: { 0: { if: "mx == 'relay.example.org'", then: "'relay-smarthost'" } },
      else: "'default'",
    });
  });
});

describe("a second apply", () => {
  test.each([
    ["with a relay on the tailnet", {}],
    ["with direct delivery", { relays: [], outbound: { route: "mx" } }],
    ["with rates that are off", { autoBan: { scan: false as const } }],
  ])("writes nothing and restarts nothing, %s", async (_, more) => {
    const objects = desired(more);
    await up(objects);
    fake.requests.length = 0;
    fake.restarts = 0;
    expect(await up(objects, objects)).toEqual({ writes: 0, restarted: false });
    expect(sets()).toEqual([]);
    expect(fake.restarts).toBe(0);
  });
});

describe("a change", () => {
  test("of a rate is written alone and needs no restart", async () => {
    const before = desired();
    await up(before);
    fake.requests.length = 0;
    const after = desired({ autoBan: { auth: "50/1h" } });
    expect(await up(after, before)).toEqual({ writes: 1, restarted: false });
    expect(sets()).toEqual(["set Security"]);
    expect(inForce("Security", "id", "singleton")?.["authBanRate"]).toEqual({ count: 50, period: 3_600_000 });
  });

  test("of a listener is in force only because the server is restarted", async () => {
    const before = desired();
    await up(before);
    const listeners = [
      { name: "smtp", protocol: "smtp" as const, port: 2525 },
      { name: "admin", protocol: "http" as const, port: 8080, proxy: false },
    ];
    expect((await up(desired({ listeners }), before)).restarted).toBe(true);
    expect(inForce("NetworkListener", "name", "smtp")?.["bind"]).toEqual({ "0.0.0.0:2525": true });
    expect(inForce("NetworkListener", "name", "sieve")).toBeUndefined();
  });

  test("of a route's name moves the strategy before the old route goes", async () => {
    const before = desired();
    await up(before);
    fake.requests.length = 0;
    const relays = [{ name: "other", host: "mailbox.tail.test", tls: "tailnet" as const }];
    await up(desired({ relays, outbound: { route: "other" } }), before);
    expect(sets()).toEqual(["set MtaRoute", "set MtaOutboundStrategy", "set MtaRoute"]);
    expect(inForce("MtaRoute", "name", "smarthost")).toBeUndefined();
  });

  test("that takes a domain from the list leaves the domain and its mail", async () => {
    const before = desired({ domains: [{ name: "lab.test" }, { name: "old.test" }] });
    await up(before);
    expect(await up(desired(), before)).toEqual({ writes: 0, restarted: false });
    expect(inForce("Domain", "name", "old.test")).toBeDefined();
  });
});

describe("tables of addresses", () => {
  const geo = (...names: string[]) =>
    desired({ geo: { asnUrls: names.map((name) => `https://geo.lab.test/1/${name}`) } });
  const urls = () => fake.inForce("Asn").map((row) => [row["@type"], Object.keys(row["asnUrls"] ?? {})]);

  test("are declared from the first start on, where they are wanted, and what the server adds is its own", async () => {
    expect(await up(geo("4", "6"))).toMatchObject({ restarted: true });
    fake.restart();
    expect(urls()).toEqual([["Resource", ["https://geo.lab.test/1/4", "https://geo.lab.test/1/6"]]]);
    expect(fake.inForce("Asn")).toMatchObject([{ expires: 86_400_000, maxSize: 104_857_600 }]);
    expect(fake.requests.filter((request) => request === "set Asn")).toHaveLength(1);
    expect(await up(geo("4", "6"), geo("4", "6"))).toEqual({ writes: 0, restarted: false });
  });

  test("are switched on and changed with a restart, since old ones stay until they expire, and off without", async () => {
    await up(desired());
    expect(await up(geo("4"), desired())).toEqual({ writes: 1, restarted: true });
    expect(await up(geo("6"), geo("4"))).toEqual({ writes: 1, restarted: true });
    expect(urls()).toEqual([["Resource", ["https://geo.lab.test/1/6"]]]);
    expect(await up(desired(), geo("6"))).toEqual({ writes: 1, restarted: false });
    fake.restart();
    expect(urls()).toEqual([["Disabled", []]]);
  });

  test("that a hand edit adds, or moves away, are put back", async () => {
    await up(geo("4"));
    fake.edit("Asn", () => true, { asnUrls: { "https://elsewhere.test/4": true } });
    expect((await up(geo("4"), geo("4"))).writes).toBe(1);
    expect(urls()).toEqual([["Resource", ["https://geo.lab.test/1/4"]]]);
    await up(desired(), geo("4"));
    fake.edit("Asn", () => true, { "@type": "Resource", geoUrls: { "https://elsewhere.test/c": true } });
    expect((await up(desired(), desired())).writes).toBe(1);
    expect(urls()).toEqual([["Disabled", []]]);
  });

  test("that a refused deploy has switched on are off again", async () => {
    await up(desired());
    const wrong = { ...geo("4"), "MtaRoute/smarthost": { ...desired()["MtaRoute/smarthost"], port: "587" } };
    const last = Object.fromEntries(Object.entries(wrong).toSorted(([a], [b]) => a.localeCompare(b)));
    await expect(up(last, desired())).rejects.toThrow(/MtaRoute\/smarthost: invalidPatch: port/);
    expect(fake.requests.filter((request) => request === "set Asn").length).toBeGreaterThanOrEqual(4);
    expect(urls()).toEqual([["Disabled", []]]);
  });
});

describe("a hand edit", () => {
  test("of a declared property is put back", async () => {
    const objects = desired();
    await up(objects);
    fake.edit("MtaRoute", (row) => row["name"] === "smarthost", { address: "evil.example.org" });
    expect((await up(objects, objects)).writes).toBe(1);
    expect(inForce("MtaRoute", "name", "smarthost")?.["address"]).toBe("mailbox.tail.test");
  });

  test("that lets an address in or opens a port is taken away", async () => {
    const objects = desired();
    await up(objects);
    fake.add("AllowedIp", { address: "203.0.113.9" });
    fake.add("NetworkListener", { name: "extra", bind: { "[::]:143": true }, protocol: "imap" });
    expect((await up(objects, objects)).writes).toBe(2);
    expect(inForce("AllowedIp", "address", "203.0.113.9")).toBeUndefined();
    expect(inForce("NetworkListener", "name", "extra")).toBeUndefined();
  });

  test("that adds a route of its own is left alone", async () => {
    const objects = desired();
    await up(objects);
    fake.add("MtaRoute", { "@type": "Local", name: "mine" });
    expect((await up(objects, objects)).writes).toBe(0);
  });
});

describe("a refusal", () => {
  test("of one row fails with object, property and reason, and puts back what was written before it", async () => {
    const before = desired();
    await up(before);
    const after = desired({ autoBan: { auth: "50/1h" } });
    const wrong = { ...after, "MtaRoute/smarthost": { ...after["MtaRoute/smarthost"], port: "587" } };
    await expect(up(wrong, before)).rejects.toThrow(/MtaRoute\/smarthost: invalidPatch: port/);
    expect(inForce("Security", "id", "singleton")?.["authBanRate"]).toEqual({
      count: 100,
      period: 86_400_000,
    });
    expect(await up(before, before)).toEqual({ writes: 0, restarted: false });
  });

  test("of a first deploy leaves the server's own settings as they are: it takes no empty ones back", async () => {
    const relay = { name: "smarthost", host: "relay.example.org", tls: "starttls" as const };
    const auth = { username: "u", secretFile: "/etc/stalwart/secrets/gone" };
    const error: unknown = await up(desired({ relays: [{ ...relay, auth }] })).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).toContain("a secret file cannot be read");
    expect(error).not.toBeInstanceOf(PartialError);
  });

  test("of an array, of an unknown property and of a wrong word name it", async () => {
    const objects = desired();
    for (const [key, change, message] of [
      ["NetworkListener/smtp", { bind: ["0.0.0.0:25"] }, /NetworkListener\/smtp: invalidPatch: bind/],
      ["Security", { fail2ban: true }, /Security: invalidProperties: fail2ban/],
      ["MtaTlsStrategy/default", { startTls: "maybe" }, /MtaTlsStrategy\/default: invalidPatch: startTls/],
      [
        "MtaRoute/smarthost",
        { address: undefined },
        /MtaRoute\/smarthost: validationFailed: address Required/,
      ],
    ] as const) {
      const wrong = JSON.parse(
        JSON.stringify({ ...objects, [key]: { ...objects[key], ...change } }),
      ) as RegistryObjects;
      await expect(up(wrong)).rejects.toThrow(message);
    }
  });

  test("of the reload leaves nothing stored, so that the next start brings no surprise", async () => {
    const before = desired();
    await up(before);
    const relay = { name: "smarthost", host: "relay.example.org", tls: "starttls" as const };
    const auth = { username: "u", secretFile: "/etc/stalwart/secrets/gone" };
    await expect(up(desired({ relays: [{ ...relay, auth }] }), before)).rejects.toThrow(
      /reload \(the old settings stay in force\): validationFailed: MtaRoute\/smarthost: a secret file cannot be read/,
    );
    fake.restart();
    expect(inForce("MtaRoute", "name", "smarthost")?.["address"]).toBe("mailbox.tail.test");
    expect(inForce("MtaOutboundStrategy", "id", "singleton")?.["tls"]).toEqual({
      match: {},
      else: "'default'",
    });
  });

  test("repeats no value that was sent", async () => {
    const objects = desired();
    const wrong = { ...objects, Security: { authBanRate: "opensesame" } };
    const error: unknown = await up(wrong).catch((e: unknown) => e);
    expect(String(error)).toMatch(/Security/);
    expect(String(error)).not.toContain("opensesame");
  });
});

describe("the resource", () => {
  const target = { dockerHost: "unix:///none", container: "test", api: "" };
  const state = (objects: RegistryObjects): RegistryState => ({
    target: { ...target, api: base },
    objects,
    accounts: {},
  });
  const resource = () => new RegistryResource(() => transport());
  const log = () => undefined;

  test("reads a hand edit as a difference of that property alone, and a stranger as an addition", async () => {
    const deployed = state(desired());
    await resource().apply(deployed, undefined, log);
    expect(await resource().read(deployed)).toEqual(deployed);
    fake.edit("Security", () => true, { authBanRate: null });
    fake.add("AllowedIp", { address: "203.0.113.9" });
    const seen = await resource().read(deployed);
    expect(diffProperties(seen, deployed)).toEqual({
      "objects.Security.authBanRate": "update",
      'objects["AllowedIp/203.0.113.9"]': "delete",
    });
  });

  test("a second log on stdout, made by hand, refuses each reload: it shows, and goes first", async () => {
    const deployed = state(desired());
    await resource().apply(deployed, undefined, log);
    fake.add("Tracer", { "@type": "Stdout", enable: true, level: "trace" });
    const seen = await resource().read(deployed);
    const strangers = Object.keys(seen?.objects ?? {}).filter((key) => !(key in deployed.objects));
    expect(strangers).toEqual([expect.stringMatching(/^Tracer\/Stdout#/)]);
    await resource().apply(deployed, seen, log);
    expect(fake.inForce("Tracer")).toHaveLength(1);
    expect(await resource().read(deployed)).toEqual(deployed);
  });

  test("addresses in any spelling are the ones that the server writes back", async () => {
    const allowedIps = [
      "198.51.100.8/32",
      "2001:DB8:0:0::1",
      "2001:db8::2/128",
      "10.1.2.3/8",
      "2001:DB8::/32",
    ];
    const deployed = state(desired({ allowedIps: [...allowedIps, "::ffff:1.2.3.4"] }));
    await resource().apply(deployed, undefined, log);
    expect(await resource().read(deployed)).toEqual(deployed);
    expect(await resource().apply(deployed, deployed, log)).toBeDefined();
    const known = fake.inForce("AllowedIp").map((row) => row["address"]);
    const canonical = ["198.51.100.8", "2001:db8::1", "2001:db8::2", "10.1.2.3/8", "2001:db8::/32"];
    expect(known).toEqual([...canonical, "::ffff:1.2.3.4"]);
  });

  test("waits for a server that does not reach its data store, and says so when the wait is over", async () => {
    fake.storeAway = true;
    const quick = new RegistryResource(() => transport(), 1_200);
    await expect(quick.apply(state(desired()), undefined, log)).rejects.toThrow(
      /does not answer after 1 s .*does not reach its data store/,
    );
    setTimeout(() => (fake.storeAway = false), 400);
    await quick.apply(state(desired()), undefined, log);
  });

  test("takes its rows back when it is deleted, and leaves the domains", async () => {
    const deployed = state(desired());
    await resource().apply(deployed, undefined, log);
    await resource().delete(deployed, log);
    fake.restart();
    expect(inForce("MtaRoute", "name", "smarthost")).toBeUndefined();
    expect(inForce("MtaOutboundStrategy", "id", "singleton")?.["route"]).toMatchObject({ else: "'mx'" });
    expect(inForce("Domain", "name", "lab.test")).toBeDefined();
  });

  test("takes its own translation, known or not, as inputs", () => {
    const { check, withDefaults } = resource();
    const inputs = { target: { dockerHost: "ssh://root@kvm", container: "c" }, objects: desired() };
    expect(check(withDefaults(inputs))).toEqual([]);
    expect(check(withDefaults({ ...inputs, objects: UNKNOWN }))).toEqual([]);
  });

  test.each([
    ["an array", { Security: { scanBanPaths: ["*.php"] } }, 'objects["Security"].scanBanPaths', /list/],
    [
      "a masked secret",
      { "MtaRoute/a": { name: "a", authSecret: { secret: "****" } } },
      'objects["MtaRoute/a"].authSecret.secret',
      /overwrite/,
    ],
    [
      "a secret",
      { "MtaRoute/a": { name: "a", authSecret: { "@type": "Value", secret: "opensesame" } } },
      'objects["MtaRoute/a"].authSecret',
      /file/,
    ],
    [
      "a strategy for an undeclared route",
      { MtaOutboundStrategy: { route: { match: {}, else: "'x'" } } },
      'objects["MtaOutboundStrategy"].route.else',
      /lesson 14/,
    ],
    [
      "a rule for an undeclared route",
      { MtaOutboundStrategy: { route: { match: { 0: { if: "a", then: "'x'" } }, else: "'mx'" } } },
      'objects["MtaOutboundStrategy"].route.match.0.then',
      /lesson 14/,
    ],
    [
      "a name that its key does not say",
      { "MtaRoute/a": { name: "b" } },
      'objects["MtaRoute/a"]',
      /another name/,
    ],
    ["a row of a singleton", { "Security/x": {} }, 'objects["Security/x"]', /singleton/],
    ["a text for an object", { Security: "on" }, 'objects["Security"]', /map/],
  ])("refuses %s before anything is sent", (_, objects, property, reason) => {
    const inputs = { target: { dockerHost: "ssh://root@kvm", container: "c" }, objects };
    const failures = resource().check(resource().withDefaults(inputs));
    expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) as string }]);
    expect(JSON.stringify(failures)).not.toContain("opensesame");
  });
});
