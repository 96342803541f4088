import { describe, expect, test } from "vitest";

import { registryOf } from "../../../../config/problems/registries.ts";
import { loadConfig } from "../../../../config/load.ts";
import { SECRETS, validConfig } from "../../../fixtures/config.ts";

const DIGEST = `@sha256:${"0".repeat(64)}`;
const TOKEN = "a-token-for-tests";
const LISTED = [{ address: "registry.example.org", username: "bot" }];

/**
 * Loads the valid config with registries, and their passwords as Pulumi hands a map with secure
 * values over.
 */
function load(registries: unknown, passwords?: unknown) {
  const config = {
    ...validConfig(),
    registries,
    ...SECRETS,
    ...(passwords !== undefined && { registryPasswords: passwords }),
  };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      `tailwart:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  return loadConfig(raw, (key) => ["tailwart:postgresPassword", "tailwart:registryPasswords"].includes(key));
}

describe("the registry of an image is the docker provider's", () => {
  test.each([
    ["busybox", "registry-1.docker.io"],
    ["stalwartlabs/stalwart:v0.15.5", "registry-1.docker.io"],
    ["docker.io/stalwartlabs/stalwart", "docker.io"],
    ["ghcr.io/example/caddy-l4", "ghcr.io"],
    ["registry.example.org/caddy-l4", "registry.example.org"],
    ["203.0.113.1:5000/tailwart/edge", "203.0.113.1:5000"],
    ["localhost/edge", "localhost"],
  ])("%s: %s", (name, registry) => {
    expect(registryOf(`${name}${DIGEST}`)).toBe(registry);
  });
});

describe("registries that need a login", () => {
  test("are accepted with a password each", () => {
    const { config, secrets } = load(LISTED, { "registry.example.org": TOKEN });
    expect(config.registries).toEqual(LISTED);
    expect(secrets.registryPasswords).toEqual({ "registry.example.org": TOKEN });
  });

  test.each<[string, unknown, unknown, RegExp]>([
    [
      "without a password",
      LISTED,
      undefined,
      /registryPasswords\["registry\.example\.org"\] is missing.*\n.*config set --secret --path 'tailwart:registryPasswords\["registry/,
    ],
    [
      "with a blank password",
      LISTED,
      { "registry.example.org": " " },
      /registryPasswords\.registry.* is blank/,
    ],
    ["with passwords that are no map", LISTED, TOKEN, /registryPasswords is text; accepts a map of secrets/],
    [
      "with the password of another one",
      LISTED,
      { "registry.example.org": TOKEN, "ghcr.io": TOKEN },
      /registryPasswords\["ghcr\.io"\] is the password of a registry that tailwart:registries lacks/,
    ],
    [
      "that no image comes from",
      [{ address: "docker.io", username: "bot" }],
      { "docker.io": TOKEN },
      /registries\[0\]\.address is the registry of none of tailwart:images; accepts registry-1\.docker\.io, registry\.example\.org/,
    ],
    [
      "twice",
      [...LISTED, ...LISTED],
      { "registry.example.org": TOKEN },
      /registries\[1\]\.address is listed twice/,
    ],
    [
      "with a scheme",
      [{ address: "https://registry.example.org", username: "bot" }],
      {},
      /registries\[0\]\.address accepts a registry's host\[:port\]/,
    ],
  ])("are refused %s", (_what, registries, passwords, says) => {
    expect(() => load(registries, passwords)).toThrow(says);
    expect(() => load(registries, passwords)).not.toThrow(TOKEN);
  });
});
