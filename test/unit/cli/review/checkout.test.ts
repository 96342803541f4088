// Real repositories in a temporary folder, and processes of their own that are sent signals.
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { checkOut } from "../../../../cli/review/base/checkout.ts";

const PROJECT = join(import.meta.dirname, "../../../..");

let folder: string;
let repository: string;
const git = (...args: string[]) => {
  const identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", [...identity, ...args], {
    cwd: repository,
    encoding: "utf8",
    env,
    stdio: "pipe",
  });
};
const worktrees = () => git("worktree", "list", "--porcelain").match(/^worktree /gm)?.length;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-checkout-test-"));
  repository = join(folder, "repository");
  mkdirSync(repository);
  mkdirSync(join(folder, "tmp"));
  git("init", "--quiet");
  writeFileSync(join(repository, "Pulumi.yaml"), "name: x\n");
  git("add", ".");
  git("commit", "--quiet", "--message", "First");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the user's own worktree is kept whose folder is away, as on a disk that is not mounted", async () => {
  git("worktree", "add", "--quiet", "--detach", join(folder, "other"));
  renameSync(join(folder, "other"), join(folder, "unmounted"));
  const checkout = await checkOut("HEAD", repository);
  expect(existsSync(join(checkout.project, "Pulumi.yaml"))).toBe(true);
  expect(worktrees()).toBe(3);
  await checkout.remove();
  expect(existsSync(checkout.project)).toBe(false);
  expect(worktrees()).toBe(2);
});

test("a checkout whose modules cannot be linked leaves nothing", async () => {
  // A dangling link is not there for a look, and in the way of another.
  symlinkSync("nowhere", join(repository, "node_modules"));
  git("add", ".");
  git("commit", "--quiet", "--message", "Dangling");
  rmSync(join(repository, "node_modules"));
  mkdirSync(join(repository, "node_modules"));
  await expect(checkOut("HEAD", repository)).rejects.toThrow("EEXIST");
  expect(worktrees()).toBe(1);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "a review that is sent %s takes its checkout away before it ends",
  async (signal) => {
    // A git that takes its time over the checkout, so that the signal comes in the midst of it.
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    const slow = `#!/bin/sh\n"${real}" "$@" || exit\ncase "$*" in *"worktree add"*) sleep 1 ;; esac\n`;
    writeFileSync(join(bin, "git"), slow, { mode: 0o755 });
    const env = {
      ...process.env,
      TMPDIR: join(folder, "tmp"),
      PATH: [bin, process.env["PATH"]].join(delimiter),
    };
    const args = [join(PROJECT, "cli/review.ts"), "--base", "HEAD", "--cwd", repository];
    const child = spawn(process.execPath, args, { env });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise((done) => child.once("close", done));
    await vi.waitFor(() => expect(worktrees(), said).toBe(2), { timeout: 60_000, interval: 50 });
    // As npm and tools/entry.mjs pass on what the terminal has sent to all.
    child.kill(signal);
    await sleep(50);
    child.kill(signal);
    expect(await ended, said).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(said).toContain(`the review was stopped by ${signal}`);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
    expect(worktrees()).toBe(1);
  },
  90_000,
);
