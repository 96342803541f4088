/**
 * Rows that name other rows, and singletons that come and go, against the fake of Stalwart's
 * registry.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { toRegistryObjects, type RegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { diffProperties } from "../../../../provider/plugin/diff.ts";
import { convergeRegistry } from "../../../../provider/registry/converge.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import { RegistryResource } from "../../../../provider/registry/resource.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { registryTransport } from "../../../fakes/fake-transport.ts";
import { desired } from "../../lib/desired-state/desired.ts";

const SECRETS = ["dns", "dns-consumer", "s3"].map((name) => `/etc/stalwart/secrets/${name}`);
const [secretFile = "", consumerKeyFile = ""] = SECRETS;
const DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";
const ZEROSSL = "https://acme.zerossl.com/v2/DV90";
const client = {
  id: "letsencrypt",
  contact: ["postmaster@lab.test"],
  challenge: "dns-01" as const,
  names: ["*.lab.test"],
};
const rfc2136 = { type: "rfc2136" as const, host: "192.0.2.53", keyName: "lab.", secretFile };
const certificates = {
  acme: [client],
  dnsProvider: rfc2136,
  domains: [{ name: "lab.test", publishRecords: ["dkim"] }],
} satisfies Partial<StalwartSettingsInput>;
const blobStore = { type: "s3" as const, bucket: "mail-blobs", region: "eu-central-1", accessKey: "AKIA" };

const objectsOf = (more: Partial<StalwartSettingsInput> = certificates) =>
  toRegistryObjects(parseSettings({ ...desired, accounts: [], ...more }));

let fake: FakeRegistry;
let base: string;
let api: RegistryApi;

async function fresh(): Promise<void> {
  fake?.close();
  fake = new FakeRegistry();
  for (const file of SECRETS) fake.readableFiles.add(file);
  base = await fake.listen();
  api = new RegistryApi(
    registryTransport(() => fake),
    base,
  );
}

beforeEach(fresh);
afterEach(() => fake.close());

const up = (objects: RegistryObjects, previous: RegistryObjects = {}) =>
  convergeRegistry(api, objects, previous);
const row = (object: string, label: string, value: string) =>
  fake.inForce(object).find((found) => found[label] === value);
const domain = (name = "lab.test") => row("Domain", "name", name);
const sets = () => fake.requests.filter((request) => request.startsWith("set ") && request !== "set Action");

describe("a domain that names its CA and its DNS provider", () => {
  test("is written after them, however they are declared, with the ids that the server made up", async () => {
    await up(Object.fromEntries(Object.entries(objectsOf()).reverse()));
    expect(domain()).toMatchObject({
      certificateManagement: {
        "@type": "Automatic",
        acmeProviderId: row("AcmeProvider", "directory", DIRECTORY)?.["id"],
        subjectAlternativeNames: { "*.lab.test": true },
      },
      dnsManagement: {
        "@type": "Automatic",
        dnsServerId: row("DnsServer", "description", "rfc2136")?.["id"],
        publishRecords: { dkim: true },
      },
    });
    expect(Math.max(sets().indexOf("set AcmeProvider"), sets().indexOf("set DnsServer"))).toBeLessThan(
      sets().indexOf("set Domain"),
    );
  });

  test("is written once: a second apply writes nothing, though the server holds other words", async () => {
    const objects = objectsOf();
    await up(objects);
    fake.requests.length = 0;
    expect(await up(objects, objects)).toEqual({ writes: 0, restarted: false });
    expect(sets()).toEqual([]);
  });

  test("is finished by the next apply, killed after any request", async () => {
    const objects = objectsOf({ ...certificates, blobStore, mtaSts: {} });
    await up(objects);
    const all = fake.answers;
    const step = process.env["TAILWART_FULL"] ? 1 : 4;
    for (let kill = 1; kill < all; kill += step) {
      await fresh();
      fake.answersLeft = kill;
      await expect(up(objects)).rejects.toThrow();
      fake.answersLeft = Number.POSITIVE_INFINITY;
      await up(objects);
      expect(await up(objects, objects), `killed after ${kill}`).toEqual({ writes: 0, restarted: false });
    }
  }, 120_000);

  test("moves to another CA before the old one goes", async () => {
    const before = objectsOf();
    await up(before);
    const after = objectsOf({ ...certificates, acme: [{ ...client, directory: ZEROSSL }] });
    await up(after, before);
    expect(fake.inForce("AcmeProvider").map((found) => found["directory"])).toEqual([ZEROSSL]);
    expect(domain()?.["certificateManagement"]).toMatchObject({
      acmeProviderId: row("AcmeProvider", "directory", ZEROSSL)?.["id"],
    });
    expect(await up(after, after)).toEqual({ writes: 0, restarted: false });
  });

  test("gets a certificate for other names at once, and its records, though the server would wait for the renewal", async () => {
    const before = objectsOf();
    await up(before);
    expect(fake.inForce("Task")).toEqual([]);
    const after = objectsOf({
      ...certificates,
      acme: [{ ...client, names: ["*.lab.test", "lab.test"] }],
      domains: [{ name: "lab.test", publishRecords: ["dkim", "dmarc"] }],
    });
    await up(after, before);
    const domainId = domain()?.["id"];
    await api.reload();
    expect(fake.inForce("Task")).toMatchObject([
      { "@type": "AcmeRenewal", domainId, status: { "@type": "Pending" } },
      { "@type": "DnsManagement", domainId, updateRecords: { dkim: true, dmarc: true } },
    ]);
    await up(after, after);
    await api.reload();
    expect(fake.inForce("Task")).toHaveLength(2);
  });

  test("that is declared no more keeps them, since the server would not let them go", async () => {
    const before = objectsOf({
      ...certificates,
      domains: [
        { name: "lab.test", publishRecords: ["dkim"] },
        { name: "old.test", publishRecords: ["dkim"] },
      ],
    });
    await up(before);
    const after = objectsOf({ domains: [{ name: "old.test" }] });
    expect(await up(after, before)).toMatchObject({ restarted: false });
    expect(fake.inForce("AcmeProvider")).toHaveLength(1);
    expect(domain("old.test")?.["dnsManagement"]).toEqual({ "@type": "Manual" });
    expect(await up(after, after)).toEqual({ writes: 0, restarted: false });
  });

  test("keeps its old CA, and that one its account, when the reload that brings the new one is refused", async () => {
    const before = objectsOf();
    await up(before);
    const old = row("AcmeProvider", "directory", DIRECTORY)?.["id"];
    fake.readableFiles.delete("/etc/stalwart/secrets/s3");
    const acme = [{ ...client, directory: ZEROSSL }];
    await expect(up(objectsOf({ ...certificates, acme, blobStore }), before)).rejects.toThrow(/reload/);
    fake.restart();
    expect(fake.inForce("AcmeProvider")).toMatchObject([{ id: old, directory: DIRECTORY }]);
    expect(domain()?.["certificateManagement"]).toMatchObject({ acmeProviderId: old });
    expect(await up(before, before)).toEqual({ writes: 0, restarted: false });
  });

  test.each([
    [
      "a CA does not answer",
      () => void fake.silentCas.add(DIRECTORY),
      /AcmeProvider\/https:\S+: invalidProperties: directory: Failed to create ACME account/,
    ],
    [
      "the DNS provider's secret is not there",
      () => void fake.readableFiles.delete(secretFile),
      /DnsServer\/rfc2136: invalidProperties: Failed to build DNS server/,
    ],
    [
      "the reload is refused",
      () => void fake.readableFiles.delete("/etc/stalwart/secrets/s3"),
      /reload \(the old settings stay in force\): validationFailed: BlobStore: a secret file/,
    ],
  ])("is put back, and so are they, when %s", async (_, breakIt, words) => {
    const before = objectsOf({});
    await up(before);
    breakIt();
    await expect(up(objectsOf({ ...certificates, blobStore }), before)).rejects.toThrow(words);
    fake.restart();
    expect(fake.inForce("BlobStore")).toMatchObject([{ "@type": "Default" }]);
    expect(fake.inForce("AcmeProvider")).toEqual([]);
    expect(fake.inForce("DnsServer")).toEqual([]);
    expect(domain()?.["certificateManagement"]).toEqual({ "@type": "Manual" });
  });
});

test("a secret that was entered by hand is not put back as the **** that the API shows in its place", async () => {
  const byHand = { "@type": "Value", secret: "entered-by-hand" };
  await up(objectsOf({}));
  fake.edit("BlobStore", () => true, {
    "@type": "S3",
    bucket: "old",
    region: { "@type": "EuWest1" },
    secretKey: byHand,
  });
  fake.readableFiles.delete("/etc/stalwart/secrets/s3");
  await expect(up(objectsOf({ blobStore }))).rejects.toThrow(
    /could not be put back: BlobStore held a secret that the API does not show/,
  );
  fake.restart();
  expect(JSON.stringify(fake.inForce("BlobStore"))).not.toContain("****");
});

describe("the resource", () => {
  const state = (objects: RegistryObjects) => ({
    target: { dockerHost: "unix:///none", container: "test", api: base },
    accounts: {},
    objects,
  });
  const resource = () => new RegistryResource(() => registryTransport(() => fake));
  const log = () => undefined;

  test("reads ids back as the rows that they are of", async () => {
    const deployed = state(objectsOf({ ...certificates, blobStore, mtaSts: { mode: "enforce" } }));
    await resource().apply(deployed, undefined, log);
    expect(await resource().read(deployed)).toEqual(deployed);

    fake.add("AcmeProvider", { directory: ZEROSSL, contact: { "mailto:root@lab.test": true } });
    const other = row("AcmeProvider", "directory", ZEROSSL)?.["id"];
    const automatic = domain()?.["certificateManagement"] as object;
    fake.edit("Domain", () => true, { certificateManagement: { ...automatic, acmeProviderId: other } });
    const seen = await resource().read(deployed);
    const path = 'objects["Domain/lab.test"].certificateManagement.acmeProviderId["#ref"]';
    expect(diffProperties(seen, deployed)).toEqual({ [path]: "update" });
    expect(JSON.stringify(seen)).toContain(`"#ref":"AcmeProvider/${ZEROSSL}"`);
    await resource().apply(deployed, seen, log);
    expect(await resource().read(deployed)).toEqual(deployed);
  });

  test("is deleted with certificates and stores declared: the domains stay, with what they name", async () => {
    const deployed = state(objectsOf({ ...certificates, blobStore, mtaSts: { mode: "enforce" } }));
    await resource().apply(deployed, undefined, log);
    await resource().delete(deployed, log);
    fake.restart();
    expect(domain()).toBeDefined();
    expect(fake.inForce("AcmeProvider")).toHaveLength(1);
    expect(fake.inForce("BlobStore")).toMatchObject([{ "@type": "S3" }]);
    expect(fake.inForce("AllowedIp")).toEqual([]);
  });

  test("takes its own translation of all of it as inputs", () => {
    const objects = objectsOf({ ...certificates, blobStore, mtaSts: {} });
    const inputs = { target: { dockerHost: "ssh://root@kvm", container: "c" }, objects };
    expect(resource().check(resource().withDefaults(inputs))).toEqual([]);
  });

  test("refuses a row that names one which is not declared, before anything is sent", () => {
    const { [`AcmeProvider/${DIRECTORY}`]: _, ...objects } = objectsOf();
    const inputs = { target: { dockerHost: "ssh://root@kvm", container: "c" }, objects };
    expect(resource().check(resource().withDefaults(inputs))).toEqual([
      {
        property: 'objects["Domain/lab.test"]',
        reason: `names AcmeProvider/${DIRECTORY}, which is not declared; declare it too`,
      },
    ]);
  });
});

describe("a singleton", () => {
  test("of the blob store is in force after a restart, and stays when it is declared no more", async () => {
    const before = objectsOf({ blobStore });
    expect((await up(before)).restarted).toBe(true);
    expect(fake.inForce("BlobStore")).toMatchObject([{ "@type": "S3", region: { "@type": "EuCentral1" } }]);
    await up(objectsOf({}), before);
    fake.restart();
    expect(fake.inForce("BlobStore")).toMatchObject([{ "@type": "S3" }]);
  });

  test("of the in-memory store is in force after a restart, and goes when it is declared no more", async () => {
    const before = objectsOf({ inMemoryStore: { type: "redis", host: "redis.tail.test" } });
    expect((await up(before)).restarted).toBe(true);
    expect(fake.inForce("InMemoryStore")).toMatchObject([{ url: "redis://redis.tail.test:6379/0" }]);
    expect((await up(before, before)).restarted).toBe(false);
    expect((await up(objectsOf({}), before)).restarted).toBe(true);
    expect(fake.inForce("InMemoryStore")).toMatchObject([{ "@type": "Default" }]);
  });
});

test("other spam rules than at the last deploy are asked for, since the server fetches them once; none are not", async () => {
  const rules = (spamRules: string) => objectsOf({ spamRules });
  const [first, second] = [rules("https://rules.lab.test/1"), rules("https://rules.lab.test/2")];
  await up(first);
  expect(fake.inForce("Task")).toEqual([]);
  await up(second, first);
  fake.restart();
  expect(fake.inForce("Task")).toMatchObject([
    { "@type": "SpamFilterMaintenance", maintenanceType: "updateRules" },
  ]);
  await up(rules("none"), second);
  fake.restart();
  expect(fake.inForce("Task")).toHaveLength(1);
});

test.each([
  { type: "cloudflare", secretFile },
  { type: "digitalocean", secretFile },
  { type: "desec", secretFile },
  { type: "ovh", applicationKey: "a", secretFile, consumerKeyFile },
  { type: "spaceship", apiKey: "k", secretFile },
] as const)("the registry takes the DNS provider %j and reads it back", async (dnsProvider) => {
  const objects = objectsOf({ ...certificates, dnsProvider });
  await up(objects);
  expect(await up(objects, objects)).toEqual({ writes: 0, restarted: false });
});

test("a server that is asked for DNS-01 without a DNS provider refuses it by property", async () => {
  const objects = objectsOf();
  const manual = { ...objects["Domain/lab.test"], dnsManagement: { "@type": "Manual" } };
  await expect(up({ ...objects, "Domain/lab.test": manual })).rejects.toThrow(
    /Domain\/lab\.test: invalidProperties: acmeProviderId: .*automatic DNS management/,
  );
});
