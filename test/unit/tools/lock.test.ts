import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "../../../tools/lock.mjs";

const TOOLS = resolve(import.meta.dirname, "../../../tools");
let dir: string;
let lock: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tailwart-lock-"));
  lock = join(dir, "piece.lock");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a program that has withLock in scope; `lock` and `journal` are paths in its scope. */
function other(body: string): ReturnType<typeof spawn> {
  const program = `
    import { appendFileSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { withLock } from "${TOOLS}/lock.mjs";
    const lock = ${JSON.stringify(lock)}, journal = ${JSON.stringify(join(dir, "journal"))};
    ${body}`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}
const ended = (child: ReturnType<typeof spawn>): Promise<unknown> =>
  new Promise((done) => child.once("close", done));
const spoken = (child: ReturnType<typeof spawn>): Promise<unknown> =>
  new Promise((done) => child.stdout?.once("data", done));

test("the lock is given back after the work and after its failure", async () => {
  expect(await withLock(lock, async () => existsSync(lock))).toBe(true);
  await expect(withLock(lock, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(readdirSync(dir)).toEqual([]);
});

test("of eight runs at once each has the lock for itself, and the waiting ones are told whom they wait for", async () => {
  const body = `
    await withLock(lock, async () => {
      appendFileSync(journal, "in\\n");
      await sleep(20);
      appendFileSync(journal, "out\\n");
    }, { poll: 5, onWait: (pid) => appendFileSync(journal + "-waits", process.pid + " for " + pid + "\\n") });`;
  await Promise.all(Array.from({ length: 8 }, () => ended(other(body))));
  expect(readFileSync(join(dir, "journal"), "utf8")).toBe("in\nout\n".repeat(8));
  const waits = readFileSync(join(dir, "journal-waits"), "utf8").trim().split("\n");
  expect(waits.length).toBeGreaterThan(0);
  for (const line of waits) expect(line).toMatch(/^\d+ for \d+$/);
  expect(existsSync(lock)).toBe(false);
});

test("a killed owner's lock is taken over", async () => {
  const owner = other(`await withLock(lock, () => { console.log("held"); return sleep(60_000); });`);
  await spoken(owner);
  owner.kill("SIGKILL");
  await ended(owner);
  expect(existsSync(lock)).toBe(true);
  expect(await withLock(lock, async () => "mine", { poll: 5 })).toBe("mine");
});

test("a pid that is used again by another process does not keep the lock", async () => {
  writeFileSync(lock, JSON.stringify({ pid: process.pid, started: "1", id: "old" }));
  expect(await withLock(lock, async () => "mine", { poll: 5 })).toBe("mine");
});

test("a stale lock that many see at once still lets in one at a time", async () => {
  writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, started: "1", id: "old" }));
  const body = `
    await withLock(lock, async () => {
      appendFileSync(journal, "in\\n");
      await sleep(10);
      appendFileSync(journal, "out\\n");
    }, { poll: 1 });`;
  await Promise.all(Array.from({ length: 6 }, () => ended(other(body))));
  expect(readFileSync(join(dir, "journal"), "utf8")).toBe("in\nout\n".repeat(6));
});
