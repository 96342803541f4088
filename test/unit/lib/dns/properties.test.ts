import fc from "fast-check";
import { expect, test } from "vitest";

import { loadConfig } from "../../../../config/load.ts";
import { mailSetup } from "../../../../config/mail-setup.ts";
import { UserError } from "../../../../lib/errors.ts";
import { mailRecords } from "../../../../lib/dns/mail-records.ts";
import type { MailRecord } from "../../../../lib/dns/record.ts";
import { textStrings } from "../../../../lib/dns/record.ts";
import { MOST_LOOKUPS, spfLookups } from "../../../../lib/dns/spf-terms.ts";
import { PUBLISHABLE } from "../../../../lib/desired-state/domains.ts";
import { MAIL_SERVICES } from "../../../../lib/mail-services.ts";
import { SECRETS, validConfig } from "../../../fixtures/config.ts";

/** A few names, so that domains, hosts and certificates meet, also one below the other. */
const name = fc.constantFrom(
  ...["example.org", "Example.net", "team.example.org", "mail.example.org", "mta-sts.example.org"],
  ...["mail.Example.net", "a.b.team.example.org", "autoconfig.example.net", `${"x".repeat(63)}.example`],
);
const names = (minLength: number, maxLength: number) =>
  fc.uniqueArray(name, { minLength, maxLength, selector: (each) => each.toLowerCase() });
const place = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.nat(40).map((i) => `include:_spf${i}.example.net`),
  fc.tuple(fc.ipV4(), fc.integer({ min: 8, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
);
const optional = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((each) => (each === undefined ? {} : { [key]: each }));

const config = fc
  .record({
    line: fc.constantFrom("0.15", "0.16"),
    mailHost: name,
    domains: names(1, 4),
    hosts: fc.array(names(0, 2), { minLength: 4, maxLength: 4 }),
    publish: fc.array(fc.subarray([...PUBLISHABLE], { maxLength: 3 }), { minLength: 4, maxLength: 4 }),
    dmarc: fc.constantFrom("none", "quarantine", "reject"),
    services: fc.subarray(Object.keys(MAIL_SERVICES)),
    egress: optional("egress", fc.array(place, { minLength: 1, maxLength: 40 })),
    reports: optional(
      "reports",
      fc.constantFrom("dmarc@Example.org", "r@team.example.org", "r@other.example"),
    ),
    certificates: names(0, 3),
    wild: fc.boolean(),
    mtaSts: fc.record({ mode: fc.constantFrom("enforce", "testing", "disable"), mx: names(0, 2) }),
    account: fc.boolean(),
  })
  .map((drawn) => ({
    ...validConfig(),
    accounts: [],
    stalwart: { line: drawn.line },
    images: { ...validConfig().images, stalwart: `stalwart@sha256:${"0".repeat(64)}` },
    mailHost: drawn.mailHost,
    domains: drawn.domains.map((each, i) => ({
      name: each,
      hosts: drawn.hosts[i],
      publishRecords: drawn.line === "0.15" ? [] : drawn.publish[i],
      dmarc: drawn.dmarc,
    })),
    services: ["smtp", ...drawn.services.filter((each) => each !== "smtp")],
    relay: { host: "mailbox", tls: "tailnet", ...drawn.egress },
    settings: { mtaSts: drawn.mtaSts },
    dns: {
      ...drawn.reports,
      ...(drawn.account &&
        drawn.certificates.length > 0 && {
          acmeAccounts: ["https://acme-v02.api.letsencrypt.org/acme/acct/1"],
        }),
    },
    dnsProvider: { type: "desec" },
    acme:
      drawn.certificates.length === 0
        ? []
        : [
            {
              id: "letsencrypt",
              contact: ["postmaster@example.org"],
              challenge: "dns-01",
              names: drawn.certificates.map((each) => (drawn.wild ? `*.${each}` : each)),
            },
          ],
  }));

/** The records of an accepted config; undefined when it is refused, in words. */
function recordsOf(keys: object): readonly MailRecord[] | undefined {
  const secrets = { ...SECRETS, dnsSecret: "c2VjcmV0" };
  const raw = Object.entries({ ...keys, ...secrets }).map(([key, value]) => [
    `tailwart:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  try {
    const loaded = loadConfig(Object.fromEntries(raw) as Record<string, string>, (key) =>
      Object.keys(secrets).some((secret) => key === `tailwart:${secret}`),
    );
    return mailRecords(mailSetup(loaded.config)).records;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Names and data of records of a type. */
const texts = (records: readonly MailRecord[], version: string) =>
  records.flatMap((each) => (each.type === "TXT" && each.text.startsWith(version) ? [each.name] : []));

const runs = Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 300);

test("any accepted config has a zone that DNS and mail can live with", () => {
  let accepted = 0;
  fc.assert(
    fc.property(config, (keys) => {
      const records = recordsOf(keys);
      if (records === undefined) return;
      accepted += 1;
      // One record of each kind at a name, and each record once.
      for (const version of ["v=spf1", "v=DMARC1", "v=STSv1", "v=TLSRPTv1"])
        expect(new Set(texts(records, version)).size).toBe(texts(records, version).length);
      const told = records.map(({ name: at, under: _, purpose: __, ...data }) => JSON.stringify([at, data]));
      expect(new Set(told).size).toBe(told.length);
      // MX and SRV lead to names with an address of their own (RFC 5321 §5.1, RFC 2782).
      const hosts = new Set(records.flatMap((each) => (each.type === "A" ? [each.name] : [])));
      const exchanges = records.flatMap((each) => (each.type === "MX" ? [each.exchange] : []));
      const targets = records.flatMap((each) => (each.type === "SRV" && each.target ? [each.target] : []));
      expect([...exchanges, ...targets].filter((each) => !hosts.has(each))).toEqual([]);
      expect(exchanges.length).toBe(keys.domains.length);
      // What bars other CAs from a domain bars them from all its names, the edge's sites, too.
      const domains = new Set(keys.domains.map((each) => each.name.toLowerCase()));
      const barring = records.filter((each) => each.type === "CAA" && each.tag === "issue");
      expect(barring.filter((each) => domains.has(each.name))).toEqual([]);
      // Names are canonical, and below what they are listed under.
      for (const { name: at, under } of records) {
        expect(at).toMatch(/^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}$/);
        expect(at === under || at.endsWith(`.${under}`)).toBe(true);
      }
      for (const each of records) {
        if (each.type !== "TXT") continue;
        for (const string of textStrings(each.text))
          expect(Buffer.byteLength(string)).toBeLessThanOrEqual(255);
        if (each.text.startsWith("v=spf1")) expect(spfLookups(each.text)).toBeLessThanOrEqual(MOST_LOOKUPS);
      }
    }),
    { numRuns: runs },
  );
  // Otherwise nothing was shown.
  expect(accepted).toBeGreaterThan(runs / 5);
});
