import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";

import { configSchema } from "../../../../config/schema.ts";
import { secretSchema } from "../../../../config/schema/secrets.ts";
import { targetOf } from "../../../../cli/doctor/target.ts";
import { configIn } from "../../../../cli/parts/config-file.ts";
import { loadConfig } from "../../../../config/load.ts";
import { placeholderOf } from "../../../../config/placeholder.ts";
import { validConfig } from "../../../fixtures/config.ts";

const folder = mkdtempSync(join(tmpdir(), "tailwart-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A config that needs every secret there is. */
const NEEDY = {
  ...validConfig(),
  relay: { host: "mailbox", tls: "tailnet", username: "relay" },
  dnsProvider: { type: "rfc2136", host: "192.0.2.53", keyName: "stalwart." },
  registries: [{ address: "registry.example.org", username: "bot" }],
};
const secrets = Object.keys(secretSchema.shape).map((key) => `tailwart:${key}`);
const keyed = Object.fromEntries(Object.entries(NEEDY).map(([key, value]) => [`tailwart:${key}`, value]));

test("npm run doctor reads a stack's file without opening its secrets, a TSIG key among them", () => {
  const file = join(folder, "Pulumi.prod.yaml");
  const one = { secure: "v1:c2FsdA==:Y2lwaGVy" };
  const encrypted = {
    ...Object.fromEntries(secrets.map((key) => [key, one])),
    "tailwart:registryPasswords": { "registry.example.org": one },
  };
  writeFileSync(file, stringify({ encryptionsalt: "v1:salt", config: { ...keyed, ...encrypted } }));
  const target = targetOf(configIn(file), "prod");
  expect(JSON.stringify(target)).not.toMatch(/c2FsdA|Y2lwaGVy/);
  expect(target).toMatchObject({
    stack: "prod",
    kvm: {
      dockerHost: "ssh://root@kvm.example.org",
      sidecar: "tailwart-prod-sidecar",
      stalwart: "tailwart-prod-stalwart",
    },
    edges: [
      {
        name: "edge",
        dockerHost: "ssh://root@edge.example.org",
        container: "tailwart-prod-edge",
        names: { magicDns: "stalwart.tail7b1641.ts.net", public: "acme-v02.api.letsencrypt.org" },
        wanAddress: "198.51.100.7",
      },
    ],
    postgres: { host: "the-record-prod.tail7b1641.ts.net", port: 5432 },
    relay: { host: "mailbox.tail7b1641.ts.net", port: 587 },
    node: "stalwart (tag:stalwart)",
    generation: "keys",
  });
  expect(Object.keys(target.images)).toEqual(
    ["anchor", "sidecar", "stalwart", "edge"].map((role) => `tailwart-prod-${role}`),
  );
});

test("npm run doctor wants no record that the provider the stack writes at cannot hold", () => {
  const wanted = (dnsProvider: object) => {
    const config = configSchema.parse({ ...validConfig(), dnsProvider, dns: { write: true } });
    const { records } = targetOf(config, "prod").dns;
    return records.flatMap((record) => (record.type === "SRV" ? [record.port] : []));
  };
  expect(wanted({ type: "desec" })).toContain(0);
  expect(wanted({ type: "spaceship", apiKey: "key" })).not.toContain(0);
  expect(wanted({ type: "spaceship", apiKey: "key" })).toContain(993);
});

test("the placeholder passes every rule for secrets, so that a preview from nothing is not refused for one", () => {
  const texts = Object.entries(keyed).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const raw = Object.fromEntries([
    ...texts,
    ...secrets.map((key) => [key, placeholderOf(key, keyed)]),
  ]) as Record<string, string>;
  expect(() => loadConfig(raw, (key) => secrets.includes(key))).not.toThrow();
});
