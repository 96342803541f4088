import { describe, expect, test } from "vitest";

import { loadConfig } from "../../../../config/load.ts";
import { componentArgs } from "../../../../config/component-args.ts";
import { toFileKeys, toSettingKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { SECRETS, validConfig } from "../../../fixtures/config.ts";

const DNS_SECRET = Buffer.from("a TSIG key for tests").toString("base64");
const CLIENT = {
  id: "letsencrypt",
  contact: ["postmaster@example.org"],
  challenge: "dns-01",
  names: ["*.Example.org"],
};

/** The valid config with certificates, and secrets beside those of every stack. */
function load(keys: object, secrets: Record<string, string> = { dnsSecret: DNS_SECRET }) {
  const raw = Object.entries({ ...validConfig(), ...keys, ...SECRETS, ...secrets }).map(([key, value]) => [
    `tailwart:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const secret = Object.keys({ ...SECRETS, ...secrets }).map((key) => `tailwart:${key}`);
  return loadConfig(Object.fromEntries(raw) as Record<string, string>, (key) => secret.includes(key));
}
const settingsOf = (keys: object, secrets?: Record<string, string>) =>
  componentArgs(load(keys, secrets).config).settings;

describe("certificates of the config become the desired state", () => {
  test("with DNS-01 over RFC 2136: the key is read from a file, and its text is nowhere", () => {
    const dnsProvider = { type: "rfc2136", host: "192.0.2.53", keyName: "stalwart." };
    const settings = settingsOf({ acme: [CLIENT], dnsProvider });
    expect(settings.acme).toEqual([
      {
        ...CLIENT,
        directory: "https://acme-v02.api.letsencrypt.org/directory",
        names: ["*.example.org"],
        default: false,
        renewBefore: 30,
      },
    ]);
    expect(settings.dnsProvider).toEqual({
      ...dnsProvider,
      port: 53,
      protocol: "udp",
      algorithm: "hmac-sha256",
      secretFile: "/etc/stalwart/secrets/dns",
    });
    expect(toSettingKeys(settings)["acme.letsencrypt.provider"]).toBe("rfc2136-tsig");
    expect(toFileKeys(settings)["acme.letsencrypt.secret"]).toBe("%{file:/etc/stalwart/secrets/dns}%");
    expect(JSON.stringify(settings)).not.toContain(DNS_SECRET);
  });

  test("with ovh, whose second key is another file", () => {
    const secrets = { dnsSecret: "application-secret", dnsConsumerKey: "consumer-key" };
    const settings = settingsOf({ dnsProvider: { type: "ovh", applicationKey: "app" } }, secrets);
    expect(settings.dnsProvider).toMatchObject({
      secretFile: "/etc/stalwart/secrets/dns",
      consumerKeyFile: "/etc/stalwart/secrets/dns-consumer",
    });
  });

  test("with a challenge that needs no DNS provider, and so no secret", () => {
    const settings = settingsOf(
      { acme: [{ ...CLIENT, challenge: "tls-alpn-01", names: ["mail.example.org"] }] },
      {},
    );
    expect(settings.acme).toHaveLength(1);
    expect(settings.dnsProvider).toBeUndefined();
  });

  test("and a config without any leaves Stalwart to sign its own", () => {
    expect(settingsOf({}, {})).not.toHaveProperty("acme");
    expect(settingsOf({}, {})).not.toHaveProperty("dnsProvider");
  });
});

describe("what the 0.15 line does not know is refused by the config's own key", () => {
  test.each([
    [
      "spaceship",
      { dnsProvider: { type: "spaceship", apiKey: "key" } },
      /tailwart:dnsProvider\.type: .*accepts rfc2136/,
    ],
    [
      "dns-persist-01",
      { acme: [{ ...CLIENT, challenge: "dns-persist-01" }] },
      /tailwart:acme\[0\]\.challenge: .*accepts dns-01/,
    ],
  ])("%s", (_what, keys, says) => {
    expect(() => settingsOf(keys)).toThrow(says);
    const stalwart = `stalwartlabs/stalwart:v0.16.18@sha256:${"0".repeat(64)}`;
    const later = { images: { ...validConfig().images, stalwart } };
    expect(() => settingsOf({ ...keys, ...later })).not.toThrow();
  });
});

test("spaceship is taken on the 0.15 line where only the stack writes there, and Stalwart gets no word of it", () => {
  const keys = { dnsProvider: { type: "spaceship", apiKey: "key" }, dns: { write: true } };
  expect(settingsOf(keys)).not.toHaveProperty("dnsProvider");
  expect(() => settingsOf({ ...keys, acme: [CLIENT] })).toThrow(/dnsProvider\.type: .*accepts rfc2136/);
});

describe("a secret that is none is refused without repeating it", () => {
  test.each([
    ["blank", "   "],
    ["masked by stars", "****"],
    ["masked by dots", "••••••"],
    ["with a line break from a file", `${DNS_SECRET}\n`],
  ])("%s", (_what, dnsSecret) => {
    const refused = () => load({ acme: [CLIENT], dnsProvider: { type: "desec" } }, { dnsSecret });
    expect(refused).toThrow(
      /tailwart:dnsSecret is blank, begins or ends with blanks.*\n.*pulumi config set --secret tailwart:dnsSecret/,
    );
    expect(refused).not.toThrow(DNS_SECRET);
  });

  test("in plain text", () => {
    const raw = { ...validConfig(), ...SECRETS, dnsSecret: DNS_SECRET };
    const texts = Object.entries(raw).map(([key, value]) => [
      `tailwart:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const load = () => loadConfig(Object.fromEntries(texts) as Record<string, string>, () => false);
    expect(load).toThrow(/tailwart:dnsSecret is stored in plain text/);
    expect(load).not.toThrow(DNS_SECRET);
  });
});
