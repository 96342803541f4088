import { describe, expect, test } from "vitest";

import { parseSettings } from "../../../../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../../../../lib/desired-state/schema.ts";
import { AWS_REGIONS } from "../../../../../lib/desired-state/stores.ts";
import { FAKE_OBJECTS } from "../../../../fakes/fake-registry-schema.ts";
import { desired } from "../desired.ts";

const objectsOf = (more: Partial<StalwartSettingsInput>) =>
  toRegistryObjects(parseSettings({ ...desired, accounts: [], ...more }));

const DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";
const secretFile = "/etc/stalwart/secrets/dns";
const file = (filePath: string) => ({ "@type": "File", filePath });
const rfc2136 = { type: "rfc2136" as const, host: "192.0.2.53", keyName: "lab.", secretFile };
const client = {
  id: "letsencrypt",
  contact: ["postmaster@lab.test"],
  challenge: "dns-01" as const,
  names: ["*.lab.test", "lab.test", "mail.sub.lab.test"],
};

describe("certificates in the registry", () => {
  const objects = objectsOf({
    domains: ["lab.test", "sub.lab.test", "bare.test"].map((name) => ({
      name,
      publishRecords: ["dkim" as const, "dmarc" as const],
    })),
    acme: [client],
    dnsProvider: rfc2136,
  });

  test("are ordered from a CA that is known by its directory", () => {
    expect(objects[`AcmeProvider/${DIRECTORY}`]).toEqual({
      directory: DIRECTORY,
      contact: { "postmaster@lab.test": true },
      challengeType: "Dns01",
      renewBefore: "R23",
    });
  });

  test("are ordered domain by domain, each name at the domain that it is in", () => {
    const names = (domain: string) =>
      (objects[`Domain/${domain}`]?.["certificateManagement"] as Record<string, unknown>)[
        "subjectAlternativeNames"
      ];
    expect(objects["Domain/lab.test"]?.["certificateManagement"]).toMatchObject({
      "@type": "Automatic",
      acmeProviderId: { "#ref": `AcmeProvider/${DIRECTORY}` },
    });
    expect(names("lab.test")).toEqual({ "*.lab.test": true, "lab.test": true });
    expect(names("sub.lab.test")).toEqual({ "mail.sub.lab.test": true });
    expect(objects["Domain/bare.test"]?.["certificateManagement"]).toEqual({ "@type": "Manual" });
  });

  test("have their DNS written by the provider, and only the records that are named", () => {
    for (const domain of ["lab.test", "bare.test"])
      expect(objects[`Domain/${domain}`]?.["dnsManagement"]).toEqual({
        "@type": "Automatic",
        dnsServerId: { "#ref": "DnsServer/rfc2136" },
        publishRecords: { dkim: true, dmarc: true },
      });
  });

  test("leave DNS alone with a challenge that needs none", () => {
    const { "Domain/lab.test": domain } = objectsOf({
      acme: [{ ...client, challenge: "dns-persist-01", names: ["*.lab.test"] }],
    });
    expect(domain?.["certificateManagement"]).toMatchObject({ "@type": "Automatic" });
    expect(domain?.["dnsManagement"]).toEqual({ "@type": "Manual" });
  });

  test("leave DNS alone where nothing is to be published, though a provider is declared", () => {
    const { "Domain/lab.test": domain } = objectsOf({ dnsProvider: rfc2136 });
    expect(domain?.["dnsManagement"]).toEqual({ "@type": "Manual" });
  });

  test.each([
    ["tls-alpn-01", "TlsAlpn01", 45, "R12"],
    ["http-01", "Http01", 22, "R34"],
    ["dns-persist-01", "DnsPersist01", 18, "R45"],
  ] as const)(
    "are proved by %s and renewed at a fraction of their life",
    (challenge, type, days, fraction) => {
      const acme = [{ ...client, challenge, renewBefore: days, names: ["mail.lab.test"] }];
      expect(objectsOf({ acme })[`AcmeProvider/${DIRECTORY}`]).toMatchObject({
        challengeType: type,
        renewBefore: fraction,
      });
    },
  );

  test.each([
    [
      rfc2136,
      {
        "@type": "Tsig",
        host: "192.0.2.53",
        port: 53,
        protocol: "udp",
        keyName: "lab.",
        key: file(secretFile),
      },
    ],
    [
      { type: "cloudflare", secretFile },
      { "@type": "Cloudflare", secret: file(secretFile) },
    ],
    [
      { type: "digitalocean", secretFile },
      { "@type": "DigitalOcean", secret: file(secretFile) },
    ],
    [
      { type: "desec", secretFile },
      { "@type": "DeSEC", secret: file(secretFile) },
    ],
    [
      { type: "ovh", applicationKey: "app", secretFile, consumerKeyFile: `${secretFile}-consumer` },
      {
        "@type": "Ovh",
        applicationKey: "app",
        applicationSecret: file(secretFile),
        consumerKey: file(`${secretFile}-consumer`),
        ovhEndpoint: "ovh-eu",
      },
    ],
    [
      { type: "spaceship", apiKey: "k", secretFile },
      { "@type": "Spaceship", apiKey: "k", secret: file(secretFile) },
    ],
  ] as const)("know the DNS provider %j, its secret by its file", (dnsProvider, row) => {
    const key = `DnsServer/${dnsProvider.type}`;
    expect(objectsOf({ dnsProvider })[key]).toMatchObject({ ...row, description: dnsProvider.type });
  });
});

test("a ban ends after a day, unless told otherwise: for ever is the server's own", () => {
  const kinds = ["auth", "abuse", "loiter", "scan"];
  for (const [autoBan, period] of [
    [{}, 86_400_000],
    [{ expireAfter: "2h" }, 7_200_000],
  ] as const)
    expect(objectsOf({ autoBan })["Security"]).toMatchObject(
      Object.fromEntries(kinds.map((kind) => [`${kind}BanPeriod`, period])),
    );
});

describe("the blob store in the registry", () => {
  const s3 = { type: "s3", bucket: "mail-blobs", accessKey: "AKIA" } as const;

  test("is a service by its endpoint, with its secret by its file", () => {
    const blobStore = {
      ...s3,
      region: "auto",
      endpoint: "https://s3.lab.test",
      keyPrefix: "mail/",
      timeout: 5,
    };
    expect(objectsOf({ blobStore })["BlobStore"]).toEqual({
      "@type": "S3",
      bucket: "mail-blobs",
      region: { "@type": "Custom", customEndpoint: "https://s3.lab.test", customRegion: "auto" },
      accessKey: { "@type": "Value", value: "AKIA" },
      secretKey: file("/etc/stalwart/secrets/s3"),
      keyPrefix: "mail/",
      timeout: 5000,
    });
  });

  test("is Amazon by its region, in the registry's spelling of each", () => {
    const store = FAKE_OBJECTS["BlobStore"]?.variants["S3"]?.["region"]?.kind as { variants: object };
    for (const region of AWS_REGIONS) {
      const { region: live } = objectsOf({ blobStore: { ...s3, region } })["BlobStore"] ?? {};
      expect(Object.keys(store.variants)).toContain((live as Record<string, unknown>)["@type"]);
    }
  });

  test("is left as it is when none is declared: mail in another store would not be found", () => {
    expect(objectsOf({})).not.toHaveProperty("BlobStore");
  });
});

describe("a Redis in the registry", () => {
  const inMemoryStore = { type: "redis", host: "redis.lab.test" } as const;

  test("is a URL without a login", () => {
    expect(objectsOf({ inMemoryStore })["InMemoryStore"]).toEqual({
      "@type": "Redis",
      url: "redis://redis.lab.test:6379/0",
    });
    expect(
      objectsOf({ inMemoryStore: { ...inMemoryStore, tls: true, port: 6380, database: 1 } })["InMemoryStore"],
    ).toMatchObject({ url: "rediss://redis.lab.test:6380/1" });
  });

  test("is let go when none is declared: the grant towards it has gone", () => {
    expect(objectsOf({})["InMemoryStore"]).toEqual({ "@type": "Default" });
  });

  test("has no say in whether the API answers over loopback, so that a deploy can name another one", () => {
    expect(objectsOf({ inMemoryStore })).toHaveProperty(["AllowedIp/127.0.0.1"]);
    expect(objectsOf({})).not.toHaveProperty(["AllowedIp/127.0.0.1"]);
  });
});

test("an MTA-STS policy has its age in milliseconds and its hosts as a set", () => {
  expect(objectsOf({})["MtaSts"]).toMatchObject({ mode: "testing", mxHosts: { "mail.lab.test": true } });
  expect(objectsOf({ mtaSts: { mode: "enforce", maxAge: 30, mx: ["Mail.lab.test"] } })["MtaSts"]).toEqual({
    mode: "enforce",
    maxAge: 2_592_000_000,
    mxHosts: { "mail.lab.test": true },
  });
});

describe("what the server fetches by itself", () => {
  const UI = "Application/Stalwart Web Interface";

  test("is nothing where none is wanted, and never Pyzor's words; tables of addresses are wanted by nobody who has not said so", () => {
    expect(objectsOf({})).toMatchObject({
      SpamSettings: { spamFilterRulesUrl: null },
      SpamPyzor: { enable: false },
      Asn: { "@type": "Disabled" },
      [UI]: { enabled: false },
    });
  });

  test("is no web UI where nobody has asked for it", () => {
    expect(objectsOf({ webUi: undefined })[UI]).toMatchObject({ enabled: false });
  });

  test("are releases by their number, unless told otherwise", () => {
    const upstream = objectsOf({ spamRules: undefined, webUi: "upstream" });
    const text = JSON.stringify([upstream["SpamSettings"], upstream[UI]]);
    expect(text).toMatch(/spam-filter\/releases\/download\/v3\.0\.0\/spam-filter-rules\.json\.gz/);
    expect(text).toMatch(/webui\/releases\/download\/v1\.0\.8\/webui\.zip/);
    expect(text).not.toContain("latest");
    expect(upstream[UI]).toMatchObject({ enabled: true });
  });

  test("is what is named", () => {
    const objects = objectsOf({
      spamRules: "https://rules.lab.test/r",
      webUi: "https://ui.lab.test/z",
      geo: { asnUrls: ["https://geo.lab.test/4", "https://geo.lab.test/6"] },
    });
    expect(objects["Asn"]).toEqual({
      "@type": "Resource",
      asnUrls: { "https://geo.lab.test/4": true, "https://geo.lab.test/6": true },
      geoUrls: {},
    });
    expect(objects).toMatchObject({
      SpamSettings: { spamFilterRulesUrl: "https://rules.lab.test/r" },
      [UI]: { enabled: true, resourceUrl: "https://ui.lab.test/z" },
    });
  });
});
