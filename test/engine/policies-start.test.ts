import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { allPolicies } from "../../policies/rules/index.ts";
import { startPack } from "./pack-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const POLICIES = join(ROOT, "policies");
const EXECUTABLE = join(POLICIES, "tailwart-policies");
const scratch = mkdtempSync(join(tmpdir(), "tailwart-pack-"));
const env = { TAILWART_CACHE: join(scratch, "cache") };
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const every = [...allPolicies.map((policy) => policy.id), "policy-exceptions"];

describe("the policy pack prints its port and nothing else, and offers every policy", () => {
  test("as an executable, in a program's directory that has no package.json", async () => {
    const { stdout, policies } = await startPack(EXECUTABLE, ["127.0.0.1:1"], { cwd: scratch, env });
    expect(stdout).toMatch(/^\d+\n$/);
    expect(policies).toEqual(every);
  });

  test("as a directory, the way the official language host starts it", async () => {
    const runner = join(ROOT, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    const args = [runner, "127.0.0.1:1", POLICIES];
    const { stdout, policies } = await startPack(process.execPath, args, { cwd: POLICIES, env });
    expect(stdout).toMatch(/^\d+\n$/);
    expect(policies).toEqual(every);
  });

  test("well within the engine's limit, with compiled code that it keeps in the cache, outside the project", async () => {
    const first = await startPack(EXECUTABLE, ["127.0.0.1:1"], { cwd: scratch, env });
    expect(readdirSync(join(scratch, "cache", "node-compile-cache"))).not.toEqual([]);
    const second = await startPack(EXECUTABLE, ["127.0.0.1:1"], { cwd: scratch, env });
    // No tight bound: other work may be running. An engine waits 10 s for a pack.
    expect(Math.min(first.ms, second.ms)).toBeLessThan(5000);
  });
});
