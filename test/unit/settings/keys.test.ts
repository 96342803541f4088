import { describe, expect, test } from "vitest";

import { inGroup, ownedGroups, toFileKeys, toSettingKeys, writePhase } from "../../../lib/settings/keys.ts";
import { parseSettings } from "../../../lib/settings/parse.ts";
import { desired } from "./desired.ts";

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
    expect(Object.keys(toSettingKeys(withAuth)).filter((key) => key.includes("auth"))).toEqual([]);
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
  ]);
  expect(inGroup("queue.strategy.route", "queue.strategy.route")).toBe(true);
  expect(inGroup("queue.route.smarthost2.type", "queue.route.smarthost")).toBe(false);
});

test("strategies are written after everything that they can name", () => {
  for (const key of Object.keys(toSettingKeys(settings))) {
    expect(writePhase(key)).toBe(key.startsWith("queue.strategy.") ? 1 : 0);
  }
});
