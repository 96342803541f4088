import { describe, expect, test } from "vitest";

import { UserError } from "../../../../lib/errors.ts";
import { refusalsFor, refuseFor } from "../../../../lib/desired-state/unsupported.ts";
import { toFileKeys, toSettingKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettings, StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import type { Generation } from "../../../../lib/stalwart/release.ts";
import { desired } from "./desired.ts";

const secretFile = "/etc/stalwart/secrets/dns";
const client = {
  id: "letsencrypt",
  contact: ["postmaster@lab.test"],
  challenge: "dns-01" as const,
  names: ["*.lab.test"],
};
const spaceship = { type: "spaceship" as const, apiKey: "k", secretFile };
const rfc2136 = { type: "rfc2136" as const, host: "192.0.2.53", keyName: "lab.", secretFile };
const other = { ...client, id: "other", names: ["mail.lab.test"] };
const ZEROSSL = "https://acme.zerossl.com/v2/DV90";

type Case = [what: string, more: Partial<StalwartSettingsInput>, path: string, words: RegExp];

const byKeys: Case[] = [
  [
    "dns-persist-01",
    { acme: [{ ...client, challenge: "dns-persist-01" }] },
    "acme.0.challenge",
    /has no dns-persist-01; accepts dns-01/,
  ],
  ["spaceship", { dnsProvider: spaceship }, "dnsProvider.type", /does not know spaceship; accepts rfc2136/],
  [
    "a ban that ends",
    { autoBan: { expireAfter: "1d" } },
    "autoBan.expireAfter",
    /bans for good.*leave it out.*allowedIps/,
  ],
  [
    "records to publish",
    { dnsProvider: rfc2136, domains: [{ name: "lab.test", publishRecords: ["dkim"] }] },
    "domains.0.publishRecords",
    /publishes nothing in DNS; accepts an empty list/,
  ],
  [
    "a table that is packed",
    { geo: { asnUrls: ["https://geo.lab.test/1/4.csv"], geoUrls: ["https://geo.lab.test/1/4.csv.gz"] } },
    "geo.geoUrls.0",
    /does not unpack \.gz; accepts.*plain CSV/,
  ],
];

const published = {
  dnsProvider: rfc2136,
  domains: [{ name: "lab.test", publishRecords: ["dkim" as const] }],
};
const byRegistry: Case[] = [
  [
    "a login at Redis, which would lie in the database in clear",
    { inMemoryStore: { type: "redis", host: "redis.tail.test", auth: { username: "stalwart" } } },
    "inMemoryStore.auth",
    /inside a URL alone.*accepts no login/,
  ],
  [
    "an account of the administrator's address",
    { accounts: [{ name: "boss", emails: ["boss@lab.test", "admin@lab.test"] }] },
    "accounts.0.emails.1",
    /administrator's own address.*another admin\.user/,
  ],
  [
    "Cloudflare's global key",
    { dnsProvider: { type: "cloudflare", email: "dns@lab.test", secretFile } },
    "dnsProvider.email",
    /drops it.*accepts an API token/,
  ],
  [
    "a certificate's name outside of all domains",
    { ...published, acme: [{ ...client, names: ["*.lab.test", "mail.elsewhere.test"] }] },
    "acme.0.names.1",
    /mail\.elsewhere\.test is in none of domains/,
  ],
  [
    "a certificate's name that only ends like a domain",
    { ...published, acme: [{ ...client, names: ["notlab.test"] }] },
    "acme.0.names.0",
    /none of domains/,
  ],
  [
    "two CAs for one domain",
    { ...published, acme: [client, { ...other, directory: ZEROSSL }] },
    "acme.1.names.0",
    /mail\.lab\.test is in lab\.test, whose certificate another CA/,
  ],
  [
    "two clients of one CA that differ",
    { ...published, acme: [client, { ...other, contact: ["root@lab.test"] }] },
    "acme.1.contact",
    /"letsencrypt" has the same with another contact/,
  ],
  [
    "a default certificate among several",
    { ...published, acme: [{ ...client, default: true }, other] },
    "acme.0.default",
    /accepts false, or one client/,
  ],
  [
    "a day of renewal between the fractions",
    { ...published, acme: [{ ...client, renewBefore: 29 }] },
    "acme.0.renewBefore",
    /accepts 18, 22, 30, 45/,
  ],
];

const translations: Record<Generation, ((settings: StalwartSettings) => unknown)[]> = {
  keys: [toSettingKeys, toFileKeys],
  registry: [toRegistryObjects],
};
const refused = (generation: Generation, cases: Case[]) =>
  test.each(cases)("%s", (_, more, path, words) => {
    const settings = parseSettings({ ...desired, ...more });
    for (const translate of [
      ...translations[generation],
      (s: StalwartSettings) => refuseFor(generation, s),
    ]) {
      expect(() => translate(settings)).toThrow(UserError);
      expect(() => translate(settings)).toThrow(`settings.${path}: `);
      expect(() => translate(settings)).toThrow(words);
    }
    expect(refusalsFor(generation, settings).map((refusal) => refusal.path.join("."))).toContain(path);
  });

describe("the 0.15 line refuses, by path and with what to write instead:", () => refused("keys", byKeys));
describe("the registry refuses, by path and with what to write instead:", () =>
  refused("registry", byRegistry));

test("one generation takes what the other refuses", () => {
  for (const [, more] of byKeys.slice(1))
    expect(refusalsFor("registry", parseSettings({ ...desired, ...more }))).toEqual([]);
  for (const [, more] of byRegistry)
    expect(refusalsFor("keys", parseSettings({ ...desired, ...more, domains: desired.domains }))).toEqual([]);
});

test("every refusal is said at once", () => {
  const settings = parseSettings({
    ...desired,
    dnsProvider: spaceship,
    domains: [{ name: "lab.test", publishRecords: ["dkim"] }],
    autoBan: { expireAfter: "2h" },
  });
  expect(refusalsFor("keys", settings).map(({ path }) => path.join("."))).toEqual([
    "dnsProvider.type",
    "autoBan.expireAfter",
    "domains.0.publishRecords",
  ]);
});
