import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const TOOLS = resolve(import.meta.dirname, "../../../tools");
let project: string;

/**
 * A fresh clone in small: the entry's own files, a lock file, and an `npm` that only notes how it
 * was called.
 */
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "tailwart-entry-"));
  cpSync(TOOLS, join(project, "tools"), {
    recursive: true,
    filter: (path) => path === TOOLS || /\/[\w.-]+\.mjs$/.test(path),
  });
  writeFileSync(join(project, "package-lock.json"), "{}");
  npm("mkdir -p node_modules");
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function npm(body: string): void {
  mkdirSync(join(project, "bin"), { recursive: true });
  writeFileSync(join(project, "bin/npm"), `#!/bin/sh\necho "$@" >> ${project}/npm-calls\n${body}\n`);
  chmodSync(join(project, "bin/npm"), 0o755);
}
const npmCalls = (): string[] =>
  existsSync(join(project, "npm-calls"))
    ? readFileSync(join(project, "npm-calls"), "utf8").trim().split("\n")
    : [];

/** Starts `node tools/entry.mjs main.ts …` with that program. */
function start(program: string, ...args: string[]): ReturnType<typeof spawn> {
  writeFileSync(join(project, "main.ts"), program);
  // The folder of the running Node must not hide the fake npm.
  const env = {
    ...process.env,
    PATH: `${project}/bin:/usr/bin:/bin`,
    TAILWART_CACHE: join(project, "cache"),
  };
  return spawn(process.execPath, [join(project, "tools/entry.mjs"), join(project, "main.ts"), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
async function run(
  program: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = start(program, ...args);
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (text.stdout += String(chunk)));
  child.stderr?.on("data", (chunk) => (text.stderr += String(chunk)));
  const code = (await new Promise((done) => child.once("close", done))) as number;
  return { code, ...text };
}

describe("the entry of every npm script", () => {
  test("runs the .ts with its arguments and hands on its exit code", async () => {
    const done = await run(
      "const all: string[] = process.argv.slice(2); console.log(all.join('|')); process.exitCode = 42;",
      "a b",
      "--c",
    );
    expect(done).toMatchObject({ code: 42, stdout: "a b|--c\n" });
  });

  test("puts its Node first on PATH, so that the language host finds the same one", async () => {
    const { stdout } = await run("console.log(process.env['PATH']?.split(':')[0]);");
    expect(join(stdout.trim(), "node")).toBe(process.execPath);
  });

  test("installs the modules once, without install scripts, and again when the lock file changes", async () => {
    await run("");
    await run("");
    expect(npmCalls()).toEqual([expect.stringMatching(/^ci --ignore-scripts\b/)]);
    writeFileSync(join(project, "package-lock.json"), '{"changed": true}');
    await run("");
    expect(npmCalls()).toHaveLength(2);
  });

  test("a failed install says why and what to run, does not start the script, and is tried again", async () => {
    npm("echo the reason; exit 1");
    const failed = await run("console.log('started');");
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("the reason");
    expect(failed.stderr).toContain("Then run again: node tools/entry.mjs");
    expect(failed.stderr).not.toMatch(/^\s+at /m);
    npm("mkdir -p node_modules");
    expect(await run("console.log('started');")).toMatchObject({ code: 0, stdout: "started\n" });
  });

  test("a signal reaches the script, whose exit code counts", async () => {
    await run("");
    const child = start(
      "process.on('SIGTERM', () => process.exit(9)); console.log('ready'); setInterval(() => {}, 1000);",
    );
    await new Promise((done) => child.stdout?.once("data", done));
    child.kill("SIGTERM");
    expect(await new Promise((done) => child.once("close", done))).toBe(9);
  });

  test("without a script it says how it is called and exits with 2", async () => {
    const child = spawn(process.execPath, [join(project, "tools/entry.mjs")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.on("data", (chunk) => (text += String(chunk)));
    expect(await new Promise((done) => child.once("close", done))).toBe(2);
    expect(text).toContain("Usage: node tools/entry.mjs <script.ts>");
  });
});
