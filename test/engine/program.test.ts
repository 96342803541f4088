import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

import { SECRETS, validConfig } from "../fixtures/config.ts";
import { type Change, WRONG } from "../fixtures/wrong-configs.ts";
import { requirePulumi } from "./toolchain.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const PROVIDERS = ["docker", "random", "command", "tailscale"];

let folder: string;
let salted: { encryptionsalt: string; config: Record<string, unknown> };

/**
 * Runs the Pulumi CLI on the stack `refused`, whose state and config lie outside of the project.
 */
function pulumi(args: string[], options: { cwd?: string; offline?: boolean; input?: string } = {}) {
  const found = requirePulumi(PROVIDERS);
  const env = {
    ...found.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
  };
  // Loopback only, which the engine and its plugins talk over.
  const alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const command = [...(options.offline ? alone : []), found.pulumi];
  const argv = [...command, "--non-interactive", "--color", "never", ...args];
  return new Promise<{ code: number; output: string }>((done) => {
    const child = execFile(
      argv[0] as string,
      argv.slice(1),
      { cwd: options.cwd ?? PROJECT, env, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) =>
        done({
          code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
          output: stdout + stderr,
        }),
    );
    child.stdin?.end(options.input ?? "");
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-program-"));
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: tailwart\nruntime: nodejs\n");
  const init = await pulumi(["stack", "init", "refused"], { cwd: folder });
  expect(init.code, init.output).toBe(0);
  const set = ["config", "set", "--secret", "--stack", "refused", "tailwart:postgresPassword"];
  expect((await pulumi(set, { cwd: folder, input: SECRETS.postgresPassword })).code).toBe(0);
  salted = parse(readFileSync(join(folder, "Pulumi.refused.yaml"), "utf8")) as typeof salted;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Previews the program with the valid config after a change. */
function preview(change: Change, options: { offline?: boolean; flags?: string[] } = {}) {
  const config = validConfig() as Parameters<Change>[0];
  change(config);
  const keys = Object.fromEntries(Object.entries(config).map(([key, value]) => [`tailwart:${key}`, value]));
  const file = join(folder, "config.yaml");
  writeFileSync(file, stringify({ ...salted, config: { ...salted.config, ...keys } }));
  const args = ["preview", "--stack", "refused", "--config-file", file, ...(options.flags ?? [])];
  return pulumi(args, options);
}

/** The slow rest runs in `npm run test:full`. */
const cases = process.env["TAILWART_FULL"] ? WRONG : WRONG.filter((_, index) => index % 7 === 0);

describe("a wrong config, through the real engine, is refused before any resource is registered", () => {
  test.each(cases)("%s", async (_what, change, says) => {
    const { code, output } = await preview(change);
    expect(code).not.toBe(0);
    for (const pattern of says) expect(output).toMatch(pattern);
    // The stack itself is all that the engine knows of.
    expect(output).not.toMatch(/docker:index|tailscale:index|command:local|tailwart:mail:|pulumi:providers:/);
    expect(output).not.toMatch(/\n\s+at .*:\d+:\d+/);
    expect(output).not.toContain(SECRETS.postgresPassword);
  });
});

describe("a preview", () => {
  test("needs no network, no host and no credential: it passes in a namespace with no route out", async () => {
    const { code, output } = await preview(() => undefined, { offline: true });
    expect(code, output).toBe(0);
    expect(output).toMatch(/tailwart:mail:Settings/);
    expect(output).toMatch(/to create/);
  });

  test("of Stalwart 0.16 declares objects of its registry, and passes the policy pack", async () => {
    const { images } = validConfig();
    const stalwart = images.stalwart.replace("v0.15.5", "v0.16.18");
    const ofRegistry: Change = (config) =>
      Object.assign(config, { images: { ...images, stalwart }, accounts: [] });
    const { code, output } = await preview(ofRegistry, {
      flags: ["--policy-pack", join(PROJECT, "policies", "tailwart-policies")],
    });
    expect(code, output).toBe(0);
    expect(output).toMatch(/tailwart:mail:Registry/);
    expect(output).not.toMatch(/tailwart:mail:Settings|\[mandatory\]|Not judged/);
  });
});
