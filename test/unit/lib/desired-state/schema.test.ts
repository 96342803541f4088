import { describe, expect, test } from "vitest";

import { UserError } from "../../../../lib/errors.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { desired } from "./desired.ts";

const relay = { name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" as const };
const withRelay = (change: object): StalwartSettingsInput => ({
  ...desired,
  relays: [{ ...relay, ...change }],
});
const withStore = (change: object): StalwartSettingsInput => ({
  ...desired,
  blobStore: { type: "s3", bucket: "mail-blobs", accessKey: "AKIA", ...change },
});
const withListener = (change: object): StalwartSettingsInput => ({
  ...desired,
  listeners: [{ name: "smtp", protocol: "smtp", port: 25, ...change }],
});

test("URLs with a version of their own are taken, also from where others move", () => {
  const asnUrls = [
    "https://cdn.jsdelivr.net/npm/@owner/tables@2.3.2026061719/asn-ipv4.csv",
    "https://github.com/owner/name/releases/download/v1.2.3/main.csv",
    "https://raw.githubusercontent.com/owner/name/4fbb8910aa/asn.csv",
    "https://latest.lab.test/main/2026-06-17.csv",
  ];
  expect(parseSettings({ ...desired, geo: { asnUrls } }).geo).toEqual({ asnUrls, geoUrls: [] });
});

test("a complete desired state is taken, with the tailnet's ranges and Stalwart's ban rates as defaults", () => {
  const settings = parseSettings(desired);
  expect(settings.proxyTrustedNetworks).toEqual(["100.64.0.0/10", "fd7a:115c:a1e0::/48"]);
  expect(settings.autoBan).toEqual({ auth: "100/1d", abuse: "35/1d", loiter: "150/1d", scan: "30/1d" });
  expect(settings.relays[0]?.port).toBe(587);
});

describe("is refused, with the field's path and what is accepted:", () => {
  const wrong: [string, StalwartSettingsInput, path: string, words: RegExp][] = [
    [
      "a strategy that names an undeclared route",
      { ...desired, outbound: { route: "smarthots" } },
      "outbound.route",
      /lesson 14.*accepts mx, smarthost/,
    ],
    ["an IPv6 relay", withRelay({ host: "2001:db8::1" }), "relays.0.host", /IPv6 address.*lesson 8/],
    ["an IPv6 relay in brackets", withRelay({ host: "[2001:db8::1]" }), "relays.0.host", /IPv6 address/],
    ["an IPv4 relay", withRelay({ host: "203.0.113.7" }), "relays.0.host", /looks up in DNS/],
    [
      "a tailnet address as relay",
      withRelay({ host: "100.101.102.103" }),
      "relays.0.host",
      /lesson 6.*MagicDNS name/,
    ],
    ["a tailnet address in another spelling", withRelay({ host: "0x64656667" }), "relays.0.host", /lesson 6/],
    [
      "tailnet trust for a name outside of the tailnet",
      withRelay({ host: "smtp.example.org" }),
      "relays.0.tls",
      /no MagicDNS name of tail\.test.*"implicit" or "starttls"/,
    ],
    [
      "a relay without a TLS mode",
      { ...desired, relays: [{ name: "smarthost", host: "mailbox.tail.test" } as never] },
      "relays.0.tls",
      /accepts "implicit", "starttls" or "tailnet"/,
    ],
    [
      "a relay called local",
      { ...withRelay({ name: "local" }), outbound: {} },
      "relays.0.name",
      /Stalwart's own routes/,
    ],
    [
      "a secret outside of the secrets' folder",
      withRelay({ auth: { username: "u", secretFile: "/etc/passwd" } }),
      "relays.0.auth.secretFile",
      /below \/etc\/stalwart\/secrets/,
    ],
    [
      "a secret's path that climbs",
      withRelay({ auth: { username: "u", secretFile: "/etc/stalwart/secrets/../x" } }),
      "relays.0.auth.secretFile",
      /below/,
    ],
    [
      "a user name with a quote",
      withRelay({ auth: { username: 'u"', secretFile: "/etc/stalwart/secrets/x" } }),
      "relays.0.auth.username",
      /without quotes/,
    ],
    [
      "two listeners on one port",
      {
        ...desired,
        listeners: [
          { name: "a", protocol: "smtp", port: 25 },
          { name: "b", protocol: "smtp", port: 25 },
        ],
      },
      "listeners.1.port",
      /taken by "a"/,
    ],
    [
      "two listeners of one name",
      {
        ...desired,
        listeners: [
          { name: "a", protocol: "smtp", port: 25 },
          { name: "a", protocol: "smtp", port: 26 },
        ],
      },
      "listeners.1.name",
      /declared twice/,
    ],
    ["a port out of range", withListener({ port: 70_000 }), "listeners.0.port", /1 to 65535/],
    ["an unknown protocol", withListener({ protocol: "nntp" }), "listeners.0.protocol", /accepts smtp, lmtp/],
    [
      "a name as bind address",
      withListener({ bind: "localhost" }),
      "listeners.0.bind",
      /accepts an IP address/,
    ],
    [
      "PROXY trust in loopback",
      { ...desired, proxyTrustedNetworks: ["127.0.0.0/8"] },
      "proxyTrustedNetworks.0",
      /includes loopback/,
    ],
    [
      "PROXY trust in everything",
      { ...desired, proxyTrustedNetworks: ["0.0.0.0/0"] },
      "proxyTrustedNetworks.0",
      /prefix length from 8 to 32/,
    ],
    [
      "a name in the allow-list",
      { ...desired, allowedIps: ["edge.example.org"] },
      "allowedIps.0",
      /IP address or a CIDR/,
    ],
    ["a ban rate without a period", { ...desired, autoBan: { auth: "100" } }, "autoBan.auth", /"100\/1d"/],
    [
      "an account of a foreign domain",
      { ...desired, accounts: [{ name: "bob", emails: ["bob@example.org"] }] },
      "accounts.0.emails.0",
      /none of domains/,
    ],
    [
      "a ban's end without a unit",
      { ...desired, autoBan: { expireAfter: "86400" } },
      "autoBan.expireAfter",
      /time such as "1d"/,
    ],
    [
      "an S3 region that is not Amazon's, without an endpoint",
      withStore({ region: "auto" }),
      "blobStore.endpoint",
      /none of Amazon's regions; accepts the service's URL/,
    ],
    [
      "an endpoint with credentials in it",
      withStore({ endpoint: "https://key:hunter2@s3.lab.test" }),
      "blobStore.endpoint",
      /without a path, a query and credentials/,
    ],
    [
      "an S3 secret in place of its file",
      withStore({ secretFile: "hunter2" }),
      "blobStore.secretFile",
      /path below/,
    ],
    ["a bucket's name with a slash", withStore({ bucket: "mail/blobs" }), "blobStore.bucket", /3 to 63/],
    ["another kind of blob store", withStore({ type: "azure" }), "blobStore.type", /accepts s3/],
    [
      "Stalwart's own MX record",
      { ...desired, domains: [{ name: "lab.test", publishRecords: ["mx" as never] }] },
      "domains.0.publishRecords.0",
      /mail arrives at the edge; accepts dkim, dmarc/,
    ],
    [
      "Stalwart's own SPF record",
      { ...desired, domains: [{ name: "lab.test", publishRecords: ["spf" as never] }] },
      "domains.0.publishRecords.0",
      /mail leaves through the relay; accepts dkim/,
    ],
    [
      "records without a DNS provider",
      { ...desired, domains: [{ name: "lab.test", publishRecords: ["dkim"] }] },
      "dnsProvider",
      /needed to publish/,
    ],
    [
      "an MTA-STS policy for a year and a day",
      { ...desired, mtaSts: { maxAge: 366 } },
      "mtaSts.maxAge",
      /whole days from 1 to 365/,
    ],
    [
      "an MTA-STS mode of the registry's resolver",
      { ...desired, mtaSts: { mode: "none" as never } },
      "mtaSts.mode",
      /accepts enforce, testing or disable/,
    ],
    ...(
      [
        "https://github.com/sapics/ip-location-db/releases/download/latest/origin-asn-ipv4.csv",
        "https://mirror.lab.test/asn-latest.csv",
        "https://raw.githubusercontent.com/owner/name/refs/heads/main/asn.csv",
        "https://cdn.jsdelivr.net/npm/@ip-location-db/asn/asn-ipv4.csv",
        "https://unpkg.com/@ip-location-db/asn@2.3/asn-ipv4.csv",
      ] as const
    ).map((url): (typeof wrong)[number] => [
      `tables of addresses that move, at ${url}`,
      { ...desired, geo: { asnUrls: ["https://mirror.lab.test/1/asn.csv"], geoUrls: [url] } },
      "geo.geoUrls.0",
      /another release from one day to the next; accepts a URL with a version/,
    ]),
    [
      "tables of addresses by another protocol",
      { ...desired, geo: { asnUrls: ["http://mirror.lab.test/1/asn.csv"] } },
      "geo.asnUrls.0",
      /accepts an https URL/,
    ],
    ["no table of addresses", { ...desired, geo: { asnUrls: [] } }, "geo", /names no table; accepts "none"/],
    [
      "tables of addresses of Stalwart's own, which move",
      { ...desired, geo: "upstream" as never },
      "geo",
      /accepts "none", or asnUrls and geoUrls/,
    ],
    [
      "an admin UI that is another tomorrow",
      { ...desired, webUi: "https://github.com/stalwartlabs/webui/releases/latest/download/webui.zip" },
      "webUi",
      /another release from one day to the next/,
    ],
    ["an unknown field", { ...desired, hostnme: "x" } as never, "", /hostnme/],
    [
      "an address as Postgres' host",
      { ...desired, postgres: { host: "100.64.0.9" } },
      "postgres.host",
      /not an address/,
    ],
  ];
  test.each(wrong)("%s", (_, input, path, words) => {
    const thrown = (() => {
      try {
        parseSettings(input);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(UserError);
    const issue =
      (thrown as UserError).message.split("\n").find((line) => line.startsWith(`  ${path}`)) ?? "";
    expect(issue).toMatch(words);
  });

  test("and what was written into the wrong field is not repeated", () => {
    const input = withRelay({ auth: { username: "u", secretFile: "hunter2" } });
    expect(() => parseSettings(input)).toThrow(/secretFile/);
    expect(() => parseSettings(input)).not.toThrow(/hunter2/);
  });
});
