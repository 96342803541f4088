// `npm run adopt -- policy`, interrupted. What stands for pulumi here only tells how it was ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { sendSignal } from "../../../lab/processes.ts";

const ADOPT = resolve(import.meta.dirname, "../../../cli/adopt.ts");
const PULUMI = `#!/bin/sh
trap 'sleep 0.3; touch "$TMPDIR/ended"; exit 7' INT TERM
touch "$TMPDIR/began"
while :; do sleep 0.05; done
`;

let folder: string;
let group: number | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adopt-"));
  writeFileSync(join(folder, "pulumi"), PULUMI, { mode: 0o755 });
});
afterEach(() => {
  if (group !== undefined) sendSignal(-group, "SIGKILL");
  group = undefined;
  rmSync(folder, { recursive: true });
});

const started = async () => {
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, TMPDIR: folder };
  const child = spawn(process.execPath, [ADOPT, "policy", "--stack", "prod"], { env, detached: true });
  group = child.pid;
  await vi.waitFor(() => expect(existsSync(join(folder, "began"))).toBe(true), 10_000);
  return { child, pid: child.pid as number };
};

test.each([
  ["a terminal's Ctrl-C, which the whole group gets", "SIGINT", (pid: number) => -pid],
  ["SIGTERM to the command alone", "SIGTERM", (pid: number) => pid],
] as const)("%s lets pulumi end, and leaves no file", async (_, signal, target) => {
  const { child, pid } = await started();
  process.kill(target(pid), signal);
  expect(await once(child, "exit")).toEqual([7, null]);
  expect(existsSync(join(folder, "ended"))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith("tailwart-import-"))).toEqual([]);
});
