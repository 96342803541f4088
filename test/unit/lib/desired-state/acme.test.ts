import { describe, expect, test } from "vitest";

import { UserError } from "../../../../lib/errors.ts";
import { inGroup, ownedGroups, toFileKeys, toSettingKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { renderConfigToml } from "../../../../lib/stalwart/config-toml.ts";
import { planSettings } from "../../../../provider/keys/plan.ts";
import { desired } from "./desired.ts";
import { expectRefusal, rowsOf, type Wrong } from "./refused.ts";

type Client = NonNullable<StalwartSettingsInput["acme"]>[number];
const SECRET = "/etc/stalwart/secrets/dns";
const client: Client = {
  id: "letsencrypt",
  contact: ["postmaster@lab.test"],
  challenge: "dns-01",
  names: ["*.Lab.test", "lab.test"],
};
const rfc2136 = { type: "rfc2136", host: "192.0.2.53", keyName: "stalwart.", secretFile: SECRET } as const;
const withAcme = (change: object, dnsProvider: unknown = rfc2136): StalwartSettingsInput => ({
  ...desired,
  acme: [{ ...client, ...change }],
  dnsProvider: dnsProvider as typeof rfc2136,
});
const keysOf = (input: StalwartSettingsInput): Record<string, string> => {
  const settings = parseSettings(input);
  const all = { ...toSettingKeys(settings), ...toFileKeys(settings) };
  return Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith("acme.")));
};

describe("an ACME client in the keys of the 0.15 line", () => {
  test("with DNS-01 over RFC 2136, whole and in Stalwart's spelling", () => {
    expect(keysOf(withAcme({}))).toEqual({
      "acme.letsencrypt.directory": "https://acme-v02.api.letsencrypt.org/directory",
      "acme.letsencrypt.contact.0000": "postmaster@lab.test",
      "acme.letsencrypt.challenge": "dns-01",
      "acme.letsencrypt.domains.0000": "*.lab.test",
      "acme.letsencrypt.domains.0001": "lab.test",
      "acme.letsencrypt.renew-before": "30d",
      "acme.letsencrypt.default": "false",
      "acme.letsencrypt.provider": "rfc2136-tsig",
      "acme.letsencrypt.host": "192.0.2.53",
      "acme.letsencrypt.port": "53",
      "acme.letsencrypt.protocol": "udp",
      "acme.letsencrypt.key": "stalwart.",
      "acme.letsencrypt.tsig-algorithm": "hmac-sha256",
      "acme.letsencrypt.secret": "%{file:/etc/stalwart/secrets/dns}%",
    });
  });

  test.each([
    [{ type: "cloudflare", secretFile: SECRET }, { provider: "cloudflare" }],
    [
      { type: "cloudflare", email: "a@lab.test", secretFile: SECRET },
      { provider: "cloudflare", user: "a@lab.test" },
    ],
    [{ type: "digitalocean", secretFile: SECRET }, { provider: "digitalocean" }],
    [{ type: "desec", secretFile: SECRET }, { provider: "desec" }],
    [
      { type: "ovh", applicationKey: "app", secretFile: SECRET, consumerKeyFile: `${SECRET}-consumer` },
      {
        provider: "ovh",
        key: "app",
        "ovh-endpoint": "ovh-eu",
        "consumer-key": `%{file:${SECRET}-consumer}%`,
      },
    ],
  ])("with the DNS provider %j", (provider, own) => {
    const common = [
      "directory",
      "contact.0000",
      "challenge",
      "domains.0000",
      "domains.0001",
      "renew-before",
      "default",
    ];
    const keys = keysOf(withAcme({}, provider));
    const specific = Object.entries(keys)
      .map(([key, value]) => [key.replace("acme.letsencrypt.", ""), value] as const)
      .filter(([key]) => !common.includes(key));
    expect(Object.fromEntries(specific)).toEqual({ ...own, secret: `%{file:${SECRET}}%` });
  });

  test("has no DNS provider and no secret with another challenge", () => {
    const keys = keysOf(
      withAcme({ challenge: "http-01", names: ["mail.lab.test"], renewBefore: 20, default: true }),
    );
    expect(Object.keys(keys).filter((key) => /provider|host|secret/.test(key))).toEqual([]);
    expect(keys).toMatchObject({
      "acme.letsencrypt.challenge": "http-01",
      "acme.letsencrypt.renew-before": "20d",
      "acme.letsencrypt.default": "true",
    });
  });

  test("has its secret in the config file and nowhere else, and Stalwart is told that the file owns it", () => {
    const settings = parseSettings(withAcme({}));
    expect(Object.keys(toSettingKeys(settings)).filter((key) => key.includes("secret"))).toEqual([]);
    const toml = renderConfigToml(settings);
    expect(toml).toContain(`acme.letsencrypt.secret = "%{file:${SECRET}}%"`);
    expect(toml).toMatch(/config\.local-keys\.\d{4} = "acme\.letsencrypt\.secret"/);
    // Stalwart keeps what it is issued beside it, and could not write that to a file that it only
    // reads.
    expect(Object.values(toFileKeys(settings)).filter((value) => value.startsWith("acme."))).toEqual([
      "acme.letsencrypt.secret",
    ]);
  });

  test("is absent by default", () => {
    expect(keysOf(desired)).toEqual({});
    expect(parseSettings(desired)).not.toHaveProperty("acme");
  });

  test("never owns the certificate and the account key that Stalwart keeps under its id", () => {
    const keys = toSettingKeys(parseSettings(withAcme({})));
    expect(ownedGroups(keys)).toEqual(
      expect.arrayContaining(["acme.letsencrypt.contact", "acme.letsencrypt.domains"]),
    );
    const kept = ["acme.letsencrypt.cert", "acme.letsencrypt.account-key", "acme.letsencrypt.secret"];
    for (const key of kept) expect(ownedGroups(keys).some((group) => inGroup(key, group))).toBe(false);
    const live = {
      ...keys,
      ...Object.fromEntries(kept.map((key) => [key, "x"])),
      "acme.letsencrypt.domains.0002": "by.hand",
    };
    expect(planSettings(live, keys, {})).toEqual({ set: [], remove: ["acme.letsencrypt.domains.0002"] });
  });
});

describe("certificates are refused, with the field's path and what is accepted:", () => {
  const provider = (change: object) => withAcme({}, { ...rfc2136, ...change });
  const two = (change: object): StalwartSettingsInput => ({
    ...withAcme({}),
    acme: [client, { ...client, id: "second", names: ["other.test"], ...change }],
  });
  const wrong: Wrong = {
    "acme.0.names.0": [
      [
        "a wildcard with HTTP-01",
        withAcme({ challenge: "http-01" }),
        /wildcard.*http-01 \(lesson 4\).*dns-01 or dns-persist-01/,
      ],
      ["a wildcard with TLS-ALPN-01", withAcme({ challenge: "tls-alpn-01" }), /wildcard.*tls-alpn-01/],
      ["a wildcard in the middle of a name", withAcme({ names: ["a.*.lab.test"] }), /\*\. and a domain/],
      ["a wildcard of a whole top level", withAcme({ names: ["*.test"] }), /\*\. and a domain/],
      ["an address as a name", withAcme({ names: ["192.0.2.1"] }), /accepts a domain/],
    ],
    "acme.0.names": [["an empty list of names", withAcme({ names: [] }), /at least one name.*lesson 4/]],
    dnsProvider: [
      ["DNS-01 without a DNS provider", { ...desired, acme: [client] }, /needed by "letsencrypt".*lesson 2/],
      ["a secret as a field of its own", provider({ secret: "****" }), /secret/],
    ],
    "dnsProvider.secretFile": [
      ["a DNS provider without a secret", provider({ secretFile: undefined }), /accepts a path below/],
      ["an empty secret", provider({ secretFile: "" }), /no secret itself.*lesson 2/],
      ["a masked secret", provider({ secretFile: "****" }), /blank or \*\*\*\*/],
      [
        "a secret in place of its file",
        withAcme({}, { type: "desec", secretFile: "hunter2hunter2" }),
        /no secret itself/,
      ],
      ["a secret's path that climbs", provider({ secretFile: "/etc/stalwart/secrets/../x" }), /below/],
    ],
    "dnsProvider.consumerKeyFile": [
      [
        "OVH without its consumer key",
        withAcme({}, { type: "ovh", applicationKey: "a", secretFile: SECRET }),
        /accepts a path below/,
      ],
    ],
    "dnsProvider.type": [
      [
        "an unknown DNS provider",
        withAcme({}, { type: "route53", secretFile: SECRET }),
        /accepts rfc2136, cloudflare/,
      ],
    ],
    "dnsProvider.host": [
      ["a DNS server's name", provider({ host: "ns.lab.test" }), /accepts an IP address/],
      ["a tailnet node as DNS server", provider({ host: "100.101.102.103" }), /lesson 6/],
      [
        "a spelling of an address that Stalwart does not read",
        provider({ host: "0xc0000235" }),
        /accepts an IP address/,
      ],
    ],
    "dnsProvider.algorithm": [
      ["an unknown TSIG algorithm", provider({ algorithm: "hmac-md5" }), /accepts hmac-sha256/],
    ],
    "acme.0.challenge": [
      ["an unknown challenge", withAcme({ challenge: "dns01" }), /accepts dns-01, dns-persist-01/],
      ["no challenge", withAcme({ challenge: undefined }), /accepts dns-01/],
    ],
    "acme.0.directory": [
      ["a CA over plain HTTP", withAcme({ directory: "http://ca.lab.test/dir" }), /https URL/],
    ],
    "acme.0.contact": [["nobody to write to", withAcme({ contact: [] }), /at least one e-mail address/]],
    "acme.0.renewBefore": [
      ["a renewal after the end", withAcme({ renewBefore: 0 }), /whole days from 1 to 89/],
    ],
    "acme.1.id": [["two clients of one id", two({ id: "letsencrypt" }), /declared twice/]],
    "acme.1.names.0": [
      [
        "two clients for one name",
        two({ names: ["lab.test"] }),
        /ordered by "letsencrypt" already.*lesson 7/,
      ],
    ],
    "acme.0.names.1": [
      ["one name twice", withAcme({ names: ["lab.test", "LAB.test"] }), /ordered by "letsencrypt" already/],
    ],
    "acme.1.default": [
      [
        "two defaults",
        {
          ...two({ default: true }),
          acme: [
            { ...client, default: true },
            { ...client, id: "b", names: ["b.test"], default: true },
          ],
        },
        /another client is the default/,
      ],
    ],
  };
  test.each(rowsOf(wrong))("%s", (_, path, input, words) => {
    expect(expectRefusal(input, `${path}: `, words)).not.toContain("hunter2");
  });

  test.each([
    [
      "dns-persist-01",
      withAcme({ challenge: "dns-persist-01" }),
      /settings\.acme\.0\.challenge: .*0\.15 line has no dns-persist-01/,
    ],
    [
      "spaceship",
      withAcme({}, { type: "spaceship", apiKey: "k", secretFile: SECRET }),
      /settings\.dnsProvider\.type: .*0\.15 line does not know spaceship/,
    ],
  ])("%s, which the 0.15 line does not offer, by its translation alone", (_, input, words) => {
    const settings = parseSettings(input);
    for (const translate of [toSettingKeys, toFileKeys]) {
      expect(() => translate(settings)).toThrow(UserError);
      expect(() => translate(settings)).toThrow(words);
    }
  });
});
