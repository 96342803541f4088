import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const POLICIES = join(ROOT, "policies");
const EXECUTABLE = join(POLICIES, "tailwart-policies");
const scratch = mkdtempSync(join(tmpdir(), "tailwart-pack-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Starts a pack as the engine does and gives what it wrote to stdout until half a second after the first line. */
async function start(command: string, args: string[], cwd: string): Promise<{ stdout: string; ms: number }> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, TAILWART_CACHE: join(scratch, "cache") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const exit = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exit]);
  const ms = performance.now() - started;
  if (stdout === "") throw new Error(`no port came:\n${stderr}`);
  await sleep(500);
  child.kill();
  await exit;
  return { stdout, ms };
}

describe("the policy pack prints its port and nothing else", () => {
  test("as an executable, in a program's directory that has no package.json", async () => {
    const { stdout } = await start(EXECUTABLE, ["127.0.0.1:1"], scratch);
    expect(stdout).toMatch(/^\d+\n$/);
  });

  test("as a directory, the way the official language host starts it", async () => {
    const runner = join(ROOT, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    const { stdout } = await start(process.execPath, [runner, "127.0.0.1:1", POLICIES], POLICIES);
    expect(stdout).toMatch(/^\d+\n$/);
  });

  test("well within the engine's limit, with compiled code that it keeps in the cache, outside the project", async () => {
    const first = await start(EXECUTABLE, ["127.0.0.1:1"], scratch);
    expect(readdirSync(join(scratch, "cache", "node-compile-cache"))).not.toEqual([]);
    const second = await start(EXECUTABLE, ["127.0.0.1:1"], scratch);
    // No tight bound: other work may be running. An engine waits 10 s for a pack.
    expect(Math.min(first.ms, second.ms)).toBeLessThan(5000);
  });
});
