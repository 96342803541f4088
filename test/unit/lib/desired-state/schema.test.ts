import { describe, expect, test } from "vitest";

import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { desired } from "./desired.ts";
import { expectRefusal, rowsOf, type Wrong } from "./refused.ts";

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
  const wrong: Wrong = {
    "outbound.route": [
      [
        "a strategy that names an undeclared route",
        { ...desired, outbound: { route: "smarthots" } },
        /lesson 14.*accepts mx, smarthost/,
      ],
    ],
    "relays.0.host": [
      ["an IPv6 relay", withRelay({ host: "2001:db8::1" }), /IPv6 address.*lesson 8/],
      ["an IPv6 relay in brackets", withRelay({ host: "[2001:db8::1]" }), /IPv6 address/],
      ["an IPv4 relay", withRelay({ host: "203.0.113.7" }), /looks up in DNS/],
      ["a tailnet address as relay", withRelay({ host: "100.101.102.103" }), /lesson 6.*MagicDNS name/],
      ["a tailnet address in another spelling", withRelay({ host: "0x64656667" }), /lesson 6/],
    ],
    "relays.0.tls": [
      [
        "tailnet trust for a name outside of the tailnet",
        withRelay({ host: "smtp.example.org" }),
        /no MagicDNS name of tail\.test.*"implicit" or "starttls"/,
      ],
      [
        "a relay without a TLS mode",
        { ...desired, relays: [{ name: "smarthost", host: "mailbox.tail.test" } as never] },
        /accepts "implicit", "starttls" or "tailnet"/,
      ],
    ],
    "relays.0.name": [
      ["a relay called local", { ...withRelay({ name: "local" }), outbound: {} }, /Stalwart's own routes/],
    ],
    "relays.0.auth.secretFile": [
      [
        "a secret outside of the secrets' folder",
        withRelay({ auth: { username: "u", secretFile: "/etc/passwd" } }),
        /below \/etc\/stalwart\/secrets/,
      ],
      [
        "a secret's path that climbs",
        withRelay({ auth: { username: "u", secretFile: "/etc/stalwart/secrets/../x" } }),
        /below/,
      ],
    ],
    "relays.0.auth.username": [
      [
        "a user name with a quote",
        withRelay({ auth: { username: 'u"', secretFile: "/etc/stalwart/secrets/x" } }),
        /without quotes/,
      ],
    ],
    "listeners.1.port": [
      [
        "two listeners on one port",
        {
          ...desired,
          listeners: [
            { name: "a", protocol: "smtp", port: 25 },
            { name: "b", protocol: "smtp", port: 25 },
          ],
        },
        /taken by "a"/,
      ],
    ],
    "listeners.1.name": [
      [
        "two listeners of one name",
        {
          ...desired,
          listeners: [
            { name: "a", protocol: "smtp", port: 25 },
            { name: "a", protocol: "smtp", port: 26 },
          ],
        },
        /declared twice/,
      ],
    ],
    "listeners.0.port": [["a port out of range", withListener({ port: 70_000 }), /1 to 65535/]],
    "listeners.0.protocol": [
      ["an unknown protocol", withListener({ protocol: "nntp" }), /accepts smtp, lmtp/],
    ],
    "listeners.0.bind": [
      ["a name as bind address", withListener({ bind: "localhost" }), /accepts an IP address/],
    ],
    "proxyTrustedNetworks.0": [
      ["PROXY trust in loopback", { ...desired, proxyTrustedNetworks: ["127.0.0.0/8"] }, /includes loopback/],
      [
        "PROXY trust in everything",
        { ...desired, proxyTrustedNetworks: ["0.0.0.0/0"] },
        /prefix length from 8 to 32/,
      ],
    ],
    "allowedIps.0": [
      ["a name in the allow-list", { ...desired, allowedIps: ["edge.example.org"] }, /IP address or a CIDR/],
    ],
    "autoBan.auth": [["a ban rate without a period", { ...desired, autoBan: { auth: "100" } }, /"100\/1d"/]],
    "accounts.0.emails.0": [
      [
        "an account of a foreign domain",
        { ...desired, accounts: [{ name: "bob", emails: ["bob@example.org"] }] },
        /none of domains/,
      ],
    ],
    "autoBan.expireAfter": [
      ["a ban's end without a unit", { ...desired, autoBan: { expireAfter: "86400" } }, /time such as "1d"/],
    ],
    "blobStore.endpoint": [
      [
        "an S3 region that is not Amazon's, without an endpoint",
        withStore({ region: "auto" }),
        /none of Amazon's regions; accepts the service's URL/,
      ],
      [
        "an endpoint with credentials in it",
        withStore({ endpoint: "https://key:hunter2@s3.lab.test" }),
        /without a path, a query and credentials/,
      ],
    ],
    "blobStore.secretFile": [
      ["an S3 secret in place of its file", withStore({ secretFile: "hunter2" }), /path below/],
    ],
    "blobStore.bucket": [["a bucket's name with a slash", withStore({ bucket: "mail/blobs" }), /3 to 63/]],
    "blobStore.type": [["another kind of blob store", withStore({ type: "azure" }), /accepts s3/]],
    "domains.0.publishRecords.0": [
      [
        "Stalwart's own MX record",
        { ...desired, domains: [{ name: "lab.test", publishRecords: ["mx" as never] }] },
        /mail arrives at the edge; accepts dkim, dmarc/,
      ],
      [
        "Stalwart's own SPF record",
        { ...desired, domains: [{ name: "lab.test", publishRecords: ["spf" as never] }] },
        /mail leaves through the relay; accepts dkim/,
      ],
    ],
    dnsProvider: [
      [
        "records without a DNS provider",
        { ...desired, domains: [{ name: "lab.test", publishRecords: ["dkim"] }] },
        /needed to publish/,
      ],
    ],
    "mtaSts.maxAge": [
      [
        "an MTA-STS policy for a year and a day",
        { ...desired, mtaSts: { maxAge: 366 } },
        /whole days from 1 to 365/,
      ],
    ],
    "mtaSts.mode": [
      [
        "an MTA-STS mode of the registry's resolver",
        { ...desired, mtaSts: { mode: "none" as never } },
        /accepts enforce, testing or disable/,
      ],
    ],
    "geo.geoUrls.0": [
      "https://github.com/sapics/ip-location-db/releases/download/latest/origin-asn-ipv4.csv",
      "https://mirror.lab.test/asn-latest.csv",
      "https://raw.githubusercontent.com/owner/name/refs/heads/main/asn.csv",
      "https://cdn.jsdelivr.net/npm/@ip-location-db/asn/asn-ipv4.csv",
      "https://unpkg.com/@ip-location-db/asn@2.3/asn-ipv4.csv",
    ].map((url) => [
      `tables of addresses that move, at ${url}`,
      { ...desired, geo: { asnUrls: ["https://mirror.lab.test/1/asn.csv"], geoUrls: [url] } },
      /another release from one day to the next; accepts a URL with a version/,
    ]),
    "geo.asnUrls.0": [
      [
        "tables of addresses by another protocol",
        { ...desired, geo: { asnUrls: ["http://mirror.lab.test/1/asn.csv"] } },
        /accepts an https URL/,
      ],
    ],
    geo: [
      ["no table of addresses", { ...desired, geo: { asnUrls: [] } }, /names no table; accepts "none"/],
      [
        "tables of addresses of Stalwart's own, which move",
        { ...desired, geo: "upstream" as never },
        /accepts "none", or asnUrls and geoUrls/,
      ],
    ],
    webUi: [
      [
        "an admin UI that is another tomorrow",
        { ...desired, webUi: "https://github.com/stalwartlabs/webui/releases/latest/download/webui.zip" },
        /another release from one day to the next/,
      ],
    ],
    "": [["an unknown field", { ...desired, hostnme: "x" } as never, /hostnme/]],
    "postgres.host": [
      ["an address as Postgres' host", { ...desired, postgres: { host: "100.64.0.9" } }, /not an address/],
    ],
  };
  test.each(rowsOf(wrong))("%s", (_, path, input, words) => {
    expectRefusal(input, path, words);
  });

  test("and what was written into the wrong field is not repeated", () => {
    const input = withRelay({ auth: { username: "u", secretFile: "hunter2" } });
    expect(() => parseSettings(input)).toThrow(/secretFile/);
    expect(() => parseSettings(input)).not.toThrow(/hunter2/);
  });
});
