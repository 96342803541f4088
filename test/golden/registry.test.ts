import { beforeAll, expect, test } from "vitest";

import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

let resources: Registered[];

beforeAll(async () => {
  const config = configOf("Pulumi.prod.yaml");
  const images = JSON.parse(config["tailwart:images"] ?? "") as Record<string, string>;
  const stalwart = images["stalwart"]?.replace("v0.15.5", "v0.16.18");
  const changes = { "tailwart:images": JSON.stringify({ ...images, stalwart }), "tailwart:accounts": "[]" };
  resources = await resourcesOf({ ...config, ...changes }, { "tailwart:postgresPassword": "a-password" });
});

const one = (type: string, name: string): Record<string, unknown> =>
  resources.find((resource) => resource.type === type && resource.name.endsWith(name))?.inputs ?? {};

test("every resource of the stack prod on Stalwart 0.16 is the one that was reviewed", async () => {
  await expect(`${JSON.stringify(resources, null, 2)}\n`).toMatchFileSnapshot("registry.json");
});

test("settings of the registry's line are objects, and none are keys", () => {
  expect(resources.map(({ type }) => type)).not.toContain("tailwart:mail:Settings");
  expect(one("tailwart:mail:Registry", "-stalwart")["objects"]).toMatchObject({
    MtaOutboundStrategy: { route: { else: "'smarthost'" } },
    "MtaRoute/smarthost": { "@type": "Relay", port: 587 },
  });
});

test("its container gets the data store's config file, and serves the API alone until the settings are applied", () => {
  const files = JSON.stringify(one("docker:index/container:Container", "-files"));
  expect(files).toContain(`"file":"/etc/stalwart/config.json"`);
  expect(files).not.toContain(`"file":"/etc/stalwart/config.toml"`);
  const { envs } = one("docker:index/container:Container", "-server");
  expect(envs).toEqual(expect.arrayContaining(["TAILWART_MARKER=tailwart-applied"]));
});

test("the provider is told which line runs on which data store", () => {
  expect(one("pulumi:providers:tailwart", "mail")).toMatchObject({ line: "0.16" });
});
