import { describe, expect, test } from "vitest";

import {
  APPLIED_KEY,
  inGroup,
  ownedGroups,
  toFileKeys,
  toSettingKeys,
  writePhase,
} from "../../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../../lib/desired-state/parse.ts";
import { signingKeys } from "../../../../../lib/desired-state/keys/signing.ts";
import type { StalwartSettingsInput } from "../../../../../lib/desired-state/schema.ts";
import { desired } from "../desired.ts";

const settings = parseSettings(desired);

describe("the keys that go through the API", () => {
  test("are the whole of them, in Stalwart's spelling", () => {
    expect(toSettingKeys(settings)).toEqual({
      "queue.route.smarthost.type": "relay",
      "queue.route.smarthost.address": "mailbox.tail.test",
      "queue.route.smarthost.port": "587",
      "queue.route.smarthost.protocol": "smtp",
      "queue.route.smarthost.tls.implicit": "false",
      "queue.route.smarthost.tls.allow-invalid-certs": "true",
      "queue.strategy.route.0000.if": "is_local_domain('*', rcpt_domain)",
      "queue.strategy.route.0000.then": "'local'",
      "queue.strategy.route.0001.else": "'smarthost'",
      "queue.strategy.tls": "'default'",
      "queue.connection.default.timeout.connect": "30s",
      "server.allowed-ip.100.64.0.0/10": "",
      "server.allowed-ip.203.0.113.20": "",
      "session.auth.require.0000.if": "(remote_ip == '127.0.0.1' || remote_ip == '::1')",
      "session.auth.require.0000.then": "false",
      "session.auth.require.0001.if": "local_port != 25",
      "session.auth.require.0001.then": "true",
      "session.auth.require.0002.else": "false",
      "session.rcpt.relay.0000.if": "!is_empty(authenticated_as)",
      "session.rcpt.relay.0000.then": "true",
      "session.rcpt.relay.0001.if":
        "is_empty(sender) && ends_with(rcpt_domain, '.invalid') && (remote_ip == '127.0.0.1' || remote_ip == '::1')",
      "session.rcpt.relay.0001.then": "true",
      "session.rcpt.relay.0002.else": "false",
      "session.mta-sts.mode": "testing",
      "session.mta-sts.max-age": "7d",
      "session.mta-sts.mx.0000": "mail.lab.test",
      ...signingKeys({ domains: [{ name: "lab.test", publishRecords: [] }], dkim: [] }),
      "tailwart.applied": "true",
    });
  });

  test.each([
    ["implicit", "true"],
    ["starttls", "false"],
  ] as const)("of a verified relay (%s) take no invalid certificate, on no attempt", (tls, implicit) => {
    const keys = toSettingKeys(
      parseSettings({ ...desired, relays: [{ name: "smarthost", host: "smtp.example.org", tls }] }),
    );
    expect(keys["queue.route.smarthost.tls.implicit"]).toBe(implicit);
    expect(keys["queue.route.smarthost.tls.allow-invalid-certs"]).toBe("false");
    expect(keys["queue.strategy.tls.0000.if"]).toBe("mx == 'smtp.example.org'");
    expect(keys["queue.strategy.tls.0000.then"]).toBe("'relay-smarthost'");
    expect(keys["queue.tls.relay-smarthost.starttls"]).toBe("require");
    expect(Object.values(keys).join()).not.toContain("invalid-tls");
  });

  test("hold no secret and no file's path: a macro in the data store is not expanded", () => {
    const auth = { username: "u", secretFile: "/etc/stalwart/secrets/relay" };
    const withAuth = parseSettings({
      ...desired,
      relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet", auth }],
    });
    expect(Object.keys(toSettingKeys(withAuth)).filter((key) => key.includes("smarthost.auth."))).toEqual([]);
    expect(toFileKeys(withAuth)).toMatchObject({
      "queue.route.smarthost.auth.username": "u",
      "queue.route.smarthost.auth.secret": "%{file:/etc/stalwart/secrets/relay}%",
    });
    expect(Object.values(toFileKeys(withAuth))).toContain("queue.route.smarthost.auth.*");
  });
});

describe("the keys of the config file", () => {
  const keys = toFileKeys(settings);

  test("demand a PROXY header on mail listeners and none on the admin listener (decision 8)", () => {
    expect(keys["server.listener.smtp.proxy.trusted-networks.0000"]).toBe("100.64.0.0/10");
    expect(Object.keys(keys).filter((key) => key.startsWith("server.listener.http.proxy"))).toEqual([]);
    // A server-wide list would be inherited by the admin listener.
    expect(Object.keys(keys).filter((key) => key.startsWith("server.proxy"))).toEqual([]);
  });

  test("are all covered by the list of local keys, and the API's keys by none of it", () => {
    const patterns = Object.entries(keys)
      .filter(([key]) => key.startsWith("config.local-keys."))
      .map(([, value]) => value);
    // As manager/config.rs decides: an exclusion wins, else any inclusion.
    const matches = (pattern: string, key: string) =>
      pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
    const isLocal = (key: string) =>
      !patterns.some((p) => p.startsWith("!") && matches(p.slice(1), key)) &&
      patterns.some((p) => matches(p, key));
    expect(Object.keys(keys).filter((key) => !isLocal(key))).toEqual([]);
    expect(Object.keys(toSettingKeys(settings)).filter(isLocal)).toEqual([]);
  });
});

test("routes and TLS strategies that are declared are owned by name, strategies and the allow-list as a whole", () => {
  expect(ownedGroups(toSettingKeys(settings))).toEqual([
    "queue.route.smarthost",
    "queue.strategy.route",
    "queue.strategy.tls",
    "server.allowed-ip",
    "session.mta-sts",
  ]);
  expect(inGroup("queue.strategy.route", "queue.strategy.route")).toBe(true);
  expect(inGroup("queue.route.smarthost2.type", "queue.route.smarthost")).toBe(false);
});

test("strategies are written after everything that they can name", () => {
  for (const key of Object.keys(toSettingKeys(settings))) {
    expect(writePhase(key)).toBe(key === APPLIED_KEY ? 2 : key.startsWith("queue.strategy.") ? 1 : 0);
  }
});

describe("an S3 store", () => {
  const blobStore = { type: "s3", bucket: "mail-blobs", accessKey: "AKIA" } as const;

  test("stands in the config file, with its secret by its file, and takes the blobs alone", () => {
    const keys = toFileKeys(
      parseSettings({
        ...desired,
        blobStore: { ...blobStore, region: "auto", endpoint: "http://s3.lab.test:9000", keyPrefix: "mail/" },
      }),
    );
    expect(
      Object.fromEntries(Object.entries(keys).filter(([key]) => /^stor(e\.s3|age)\./.test(key))),
    ).toEqual({
      "store.s3.type": "s3",
      "store.s3.bucket": "mail-blobs",
      "store.s3.region": "auto",
      "store.s3.endpoint": "http://s3.lab.test:9000",
      "store.s3.access-key": "AKIA",
      "store.s3.secret-key": "%{file:/etc/stalwart/secrets/s3}%",
      "store.s3.key-prefix": "mail/",
      "store.s3.timeout": "30s",
      "storage.data": "postgres",
      "storage.blob": "s3",
      "storage.fts": "postgres",
      "storage.lookup": "postgres",
      "storage.directory": "internal",
    });
  });

  test("is Amazon without an endpoint", () => {
    const keys = toFileKeys(
      parseSettings({ ...desired, blobStore: { ...blobStore, region: "eu-central-1" } }),
    );
    expect(keys).not.toHaveProperty(["store.s3.endpoint"]);
  });
});

describe("a Redis", () => {
  const keysOf = (more: object) => {
    const inMemoryStore = { type: "redis", host: "redis.lab.test", ...more } as const;
    return Object.entries(toFileKeys(parseSettings({ ...desired, inMemoryStore }))).filter(([key]) =>
      /^store\.redis\.|^storage\.(lookup|data|blob)$/.test(key),
    );
  };

  test("stands in the config file and takes locks and limits alone", () => {
    expect(Object.fromEntries(keysOf({ port: 6380, database: 2 }))).toEqual({
      "store.redis.type": "redis",
      "store.redis.urls": "redis://redis.lab.test:6380/2",
      "storage.data": "postgres",
      "storage.blob": "postgres",
      "storage.lookup": "redis",
    });
  });

  test("is logged in to with a password that is named by its file, inside the URL", () => {
    expect(keysOf({ tls: true, auth: { username: "mail@lab" } })).toContainEqual([
      "store.redis.urls",
      "rediss://mail%40lab:%{file:/etc/stalwart/secrets/redis}%@redis.lab.test:6379/0",
    ]);
  });
});

test("an MTA-STS policy names the hosts that are declared, and without any the server's own", () => {
  const policyOf = (mtaSts: StalwartSettingsInput["mtaSts"]) =>
    Object.entries(toSettingKeys(parseSettings({ ...desired, mtaSts }))).filter(([key]) =>
      key.startsWith("session.mta-sts."),
    );
  expect(policyOf({ mode: "enforce", maxAge: 30, mx: ["mx.lab.test", "*.mx.lab.test"] })).toEqual([
    ["session.mta-sts.mode", "enforce"],
    ["session.mta-sts.max-age", "30d"],
    ["session.mta-sts.mx.0000", "mx.lab.test"],
    ["session.mta-sts.mx.0001", "*.mx.lab.test"],
  ]);
  // Stalwart would name what its certificates are for: the domain itself.
  expect(policyOf(undefined)).toContainEqual(["session.mta-sts.mx.0000", "mail.lab.test"]);
});

test("what the server fetches is a release by its number, what is named, or nothing", () => {
  const sources = (spamRules: string, webUi = spamRules) => {
    const keys = toFileKeys(parseSettings({ ...desired, spamRules, webUi }));
    return [keys["spam-filter.resource"], keys["webadmin.resource"]];
  };
  expect(sources("upstream")).toEqual([
    expect.stringMatching(/spam-filter\/releases\/download\/v2\.0\.5\/spam-filter\.toml$/),
    expect.stringMatching(/webadmin\/releases\/download\/v0\.1\.33\/webadmin\.zip$/),
  ]);
  expect(sources("https://rules.lab.test/r", "https://ui.lab.test/z")).toEqual([
    "https://rules.lab.test/r",
    "https://ui.lab.test/z",
  ]);
  for (const source of sources("none")) expect(source).toMatch(/^file:\/\/\/etc\/stalwart\//);
});

test("tables of addresses are fetched where they are named, and what upstream's rules say of others is never read", () => {
  const tables = (geo: StalwartSettingsInput["geo"]) =>
    Object.entries(toFileKeys(parseSettings({ ...desired, geo }))).filter(([key]) => key.startsWith("asn."));
  expect(tables(undefined)).toEqual([["asn.type", "disabled"]]);
  expect(
    tables({
      asnUrls: ["https://geo.lab.test/4", "https://geo.lab.test/6"],
      geoUrls: ["https://geo.lab.test/c"],
    }),
  ).toEqual([
    ["asn.type", "resource"],
    ["asn.urls.asn.0000", "https://geo.lab.test/4"],
    ["asn.urls.asn.0001", "https://geo.lab.test/6"],
    ["asn.urls.geo.0000", "https://geo.lab.test/c"],
  ]);
  // Local as a whole: of the data store's keys none counts.
  expect(Object.values(toFileKeys(parseSettings(desired)))).toContain("asn.*");
});
