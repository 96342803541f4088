import { beforeAll, expect, test } from "vitest";

import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const SECRET = "golden-postgres-password";
let resources: Registered[];
/** The resources' types in the order in which they were done. */
const done: string[] = [];

beforeAll(async () => {
  const secrets = { "tailwart:postgresPassword": SECRET };
  resources = await resourcesOf(configOf("Pulumi.prod.yaml"), secrets, (type) => done.push(type));
});

const one = (type: string, name: string): Record<string, unknown> =>
  of(type).find((resource) => resource.name.endsWith(name))?.inputs ?? {};
const of = (type: string) => resources.filter((resource) => resource.type === type);

test("every resource of the stack prod is the one that was reviewed", async () => {
  await expect(`${JSON.stringify(resources, null, 2)}\n`).toMatchFileSnapshot("prod.json");
});

test("the Postgres password is a secret wherever it goes", () => {
  const holders = JSON.stringify(resources).split(SECRET).length - 1;
  const secretHolders = JSON.stringify(resources).match(
    /"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"/g,
  );
  expect(holders).toBe(1);
  expect(secretHolders).not.toBeNull();
});

test("every image is pulled before anything on a host or in the tailnet is touched (decision 18)", () => {
  const images = new Set(of("docker:index/remoteImage:RemoteImage").map(({ inputs }) => inputs["name"]));
  for (const { inputs } of of("docker:index/container:Container")) expect(images).toContain(inputs["image"]);
  const touches = /^(?:docker|tailscale|command|tailwart:mail:Settings)/;
  const first = done.findIndex((type) => touches.test(type) && !type.endsWith(":RemoteImage"));
  expect(first).toBeGreaterThan(done.lastIndexOf("docker:index/remoteImage:RemoteImage"));
  expect(images.size).toBe(4);
});

test("no container publishes a port", () => {
  for (const { inputs } of of("docker:index/container:Container")) expect(inputs).not.toHaveProperty("ports");
});

test("sidecar and Stalwart join the anchor by its id", () => {
  const joined = of("docker:index/container:Container").filter(({ name }) => /sidecar|server/.test(name));
  expect(joined).toHaveLength(2);
  for (const { inputs } of joined) expect(inputs["networkMode"]).toBe("container:mail-anchor-id");
});

test("every container is pinned by digest and restarts always, but for the one that only carries files", () => {
  const containers = of("docker:index/container:Container");
  expect(containers).toHaveLength(5);
  for (const { inputs } of containers) {
    expect(inputs["image"]).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(inputs["restart"]).toBe(inputs["start"] === false ? "no" : "always");
  }
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
  expect(envs).toEqual(expect.arrayContaining(["TAILWART_MARKER_ROW=tailwart-applied"]));
});

test("the provider is told which line runs on which data store", () => {
  expect(one("pulumi:providers:tailwart", "mail")).toMatchObject({ line: "0.16" });
});
