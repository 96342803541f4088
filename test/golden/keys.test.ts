import { beforeAll, expect, test } from "vitest";

import { MAIL_SERVICES } from "../../lib/mail-services.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const TOKEN = "golden-registry-token";
const REDIS_SECRET = "golden/redis@secret";
const S3_SECRET = "golden-s3-secret";
let resources: Registered[];

beforeAll(async () => {
  const config = configOf("Pulumi.prod.yaml");
  const images = JSON.parse(config["tailwart:images"] ?? "") as Record<string, string>;
  const stalwart = images["stalwart"]?.replace("v0.16.18", "v0.15.5");
  const [edge] = JSON.parse(config["tailwart:edges"] ?? "") as object[];
  const changes = {
    "tailwart:images": JSON.stringify({ ...images, stalwart }),
    // What an edge with a web server of its own has, and all services.
    "tailwart:edges": JSON.stringify([{ ...edge, fallback: { to: "127.0.0.1:8443", proxyProtocol: true } }]),
    "tailwart:services": JSON.stringify(Object.keys(MAIL_SERVICES)),
    "tailwart:postgres": JSON.stringify({ host: "db.example.net", tls: true }),
    "tailwart:settings": JSON.stringify({
      inMemoryStore: { type: "redis", host: "cache", username: "stalwart" },
      blobStore: { type: "s3", bucket: "mail-blobs", accessKey: "AKIA", endpoint: "http://cache:9000" },
    }),
    "tailwart:registries": JSON.stringify([{ address: "registry.example.org", username: "bot" }]),
  };
  const secrets = {
    "tailwart:postgresPassword": "a-password",
    "tailwart:inMemoryStoreSecret": REDIS_SECRET,
    "tailwart:blobStoreSecret": S3_SECRET,
    "tailwart:registryPasswords": JSON.stringify({ "registry.example.org": TOKEN }),
  };
  resources = await resourcesOf({ ...config, ...changes }, secrets);
});

const one = (type: string, name: string): Record<string, unknown> =>
  resources.find((resource) => resource.type === type && resource.name.endsWith(name))?.inputs ?? {};

test("every resource of the stack prod on Stalwart 0.15 is the one that was reviewed", async () => {
  await expect(`${JSON.stringify(resources, null, 2)}\n`).toMatchFileSnapshot("keys.json");
});

test("settings of the 0.15 line are keys, and none are objects", () => {
  expect(resources.map(({ type }) => type)).not.toContain("tailwart:mail:Registry");
  expect(one("tailwart:mail:Settings", "-stalwart")["settings"]).toMatchObject({
    "queue.route.smarthost.port": "587",
    "queue.strategy.route.0001.else": "'smarthost'",
  });
});

test("its container gets config.toml", () => {
  const files = JSON.stringify(one("docker:index/container:Container", "-files"));
  expect(files).toContain(`"file":"/etc/stalwart/config.toml"`);
  expect(files).not.toContain(`"file":"/etc/stalwart/config.json"`);
});

test("both hosts' pulls log in at the registry, by a secret", () => {
  const holders = resources.filter((resource) => JSON.stringify(resource).includes(TOKEN));
  expect(holders.map(({ name }) => name)).toEqual(["edge-box", "kvm"]);
  for (const { inputs } of holders)
    expect(inputs["registryAuth"]).toMatchObject({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    });
});

test("Redis' and S3's secrets lie in one file each, as secrets, and Redis' as a URL spells it", () => {
  const written = [encodeURIComponent(REDIS_SECRET), S3_SECRET];
  for (const secret of written) {
    const holders = resources.filter((resource) => JSON.stringify(resource).includes(secret));
    expect(holders.map(({ name }) => name)).toEqual(["mail-stalwart-files"]);
    expect(holders[0]?.inputs["uploads"]).toMatchObject({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    });
  }
  expect(JSON.stringify(resources)).not.toContain(REDIS_SECRET);
});
