import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { settleInterrupted } from "../../../../cli/parts/interrupted.ts";
import type { LabStack } from "../../../../cli/parts/pulumi-cli.ts";

let backend: string;
let stack: LabStack;
const started: ChildProcess[] = [];

beforeEach(() => {
  backend = mkdtempSync(join(tmpdir(), "tailwart-locks-"));
  stack = {
    name: "some",
    backend,
    configFile: join(backend, "config.yaml"),
    passphraseFile: "",
    policyConfigFile: "",
    netns: "",
    etc: "/none/etc",
    env: {},
  };
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(backend, { recursive: true });
});

/** Writes a lock as Pulumi does (pkg/backend/diy/lock.go). */
function lock(text: string | { pid: number; hostname?: string; timestamp?: Date }, name = "some"): string {
  const folder = join(backend, ".pulumi", "locks", "organization", "tailwart", name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "4f3c.json");
  const {
    pid,
    hostname: host = hostname(),
    timestamp = new Date(),
  } = typeof text === "string" ? { pid: 0 } : text;
  const content = { pid, username: "somebody", hostname: host, timestamp: timestamp.toISOString() };
  writeFileSync(file, typeof text === "string" ? text : JSON.stringify(content));
  return file;
}

/** A process that looks like one of the stack's, under a name of its own. */
function run(name: string, seconds: number, environment = `file://${backend}`): ChildProcess {
  const child = spawn("bash", ["-c", `exec -a ${name} sleep ${seconds}`], {
    env: { ...process.env, PULUMI_BACKEND_URL: environment },
  });
  started.push(child);
  return child;
}

const said: string[] = [];
const settle = () => settleInterrupted(stack, (line) => said.push(line));
const alive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

test("where nothing was cut off, nothing is done", async () => {
  expect(await settle()).toBeUndefined();
});

test("the lock of a process that is dead is told and removed", async () => {
  const dead = run("gone", 0);
  await new Promise((resolve) => dead.once("exit", resolve));
  const file = lock({ pid: dead.pid ?? 0 });
  expect(await settle()).toContain(`the lock of process ${dead.pid} (dead)`);
  expect(existsSync(file)).toBe(false);
});

test("so is that of a number that another process has been given since", async () => {
  const file = lock({
    pid: run("pulumi", 30, "file:///elsewhere").pid ?? 0,
    timestamp: new Date(Date.now() - 60_000),
  });
  expect(await settle()).toContain("(dead)");
  expect(existsSync(file)).toBe(false);
});

test("and a lock that was only half written", async () => {
  const file = lock("");
  expect(await settle()).toContain("the lock of nobody");
  expect(existsSync(file)).toBe(false);
});

test("another machine's lock is left, with what to run instead", async () => {
  const file = lock({ pid: 1, hostname: "elsewhere" });
  await expect(settle()).rejects.toThrow(`somebody@elsewhere`);
  await expect(settle()).rejects.toThrow(`rm ${file}`);
  expect(existsSync(file)).toBe(true);
});

test("another stack's lock is none of its business", async () => {
  const file = lock({ pid: 1, hostname: "elsewhere" }, "other");
  expect(await settle()).toBeUndefined();
  expect(existsSync(file)).toBe(true);
});

test("an engine that is at work is waited for, whether or not it has locked the stack yet", async () => {
  const engine = run("pulumi", 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begun = Date.now();
  await settle();
  expect(Date.now() - begun).toBeGreaterThan(1_000);
  expect(alive(engine)).toBe(false);
  expect(said.join()).toContain(`(process ${engine.pid}) is still at work`);
});

test("a plugin without an engine is ended: it could still make a container", async () => {
  const plugin = run("pulumi-resource-docker", 30);
  const other = run("pulumi-resource-docker", 30, "file:///elsewhere");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await settle()).toContain("1 processes without an engine");
  await expect.poll(() => alive(plugin)).toBe(false);
  expect(alive(other)).toBe(true);
});
