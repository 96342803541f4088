import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Progress, runMain } from "../../../../cli/parts/progress.ts";
import { UserError } from "../../../../lib/errors.ts";

let out: string[];
let err: string[];
beforeEach(() => {
  [out, err] = [[], []];
  vi.spyOn(console, "log").mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void err.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

test("a stage says which one of how many it is, then its remark and how long it took", async () => {
  const progress = new Progress(2);
  const count = await progress.stage(
    "images",
    async () => 3,
    (n) => `${n} pushed`,
  );
  await progress.stage("deploy", async () => undefined);
  expect(count).toBe(3);
  expect(out).toEqual([
    "[1/2] images …",
    expect.stringMatching(/✓.* \[1\/2\] images: 3 pushed \(\d+\.\d s\)$/),
    "[2/2] deploy …",
    expect.stringMatching(/✓.* \[2\/2\] deploy \(\d+\.\d s\)$/),
  ]);
});

test("a stage that fails is named, and its error goes on", async () => {
  const failing = new Progress(1).stage("deploy", () => Promise.reject(new Error("no disk")));
  await expect(failing).rejects.toThrow("no disk");
  expect(out.at(-1)).toMatch(/✗.* \[1\/1\] deploy failed after \d+\.\d s$/);
});

test("a user's mistake is printed in words, without a stack, and the exit code is 1", async () => {
  await runMain(() =>
    Promise.reject(new UserError("which stack?", { hint: "npm run adopt -- policy --stack prod" })),
  );
  expect(err.join("\n")).toMatch(/error:.* which stack\?\n {2}npm run adopt -- policy --stack prod$/);
  expect(process.exitCode).toBe(1);
});

test("a mistake of the program's own keeps its stack", async () => {
  await runMain(() => Promise.reject(new TypeError("x is not a function")));
  expect(err.join("\n")).toMatch(/TypeError: x is not a function\n +at /);
});
