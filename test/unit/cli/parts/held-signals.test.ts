import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { holdingSignals, throwIfStopped } from "../../../../cli/parts/held-signals.ts";
import { run } from "../../../../cli/review/engine-runs.ts";

// Other tests of this process have armed their own, which end the process.
let others: NodeJS.SignalsListener[];
beforeEach(() => {
  others = process.listeners("SIGHUP");
  process.removeAllListeners("SIGHUP");
});
afterEach(() => others.forEach((listener) => process.on("SIGHUP", listener)));

const stopped = () => process.emit("SIGHUP", "SIGHUP");

test("no engine is started after a signal that came between two", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tailwart-held-test-"));
  const opened = {
    ...{ stack: "x", project: folder, flags: [], policyFlags: [], env: process.env },
    before: ["sh", "-c", "touch started"],
    remove: async () => undefined,
  };
  try {
    const work = holdingSignals("the review", () => {
      stopped();
      return run(opened, ["preview"], folder);
    });
    await expect(work).rejects.toThrow("the review was stopped by SIGHUP");
    expect(existsSync(join(folder, "started"))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("work that has come to its end all the same counts as stopped", async () => {
  const work = holdingSignals("the review", async () => stopped());
  await expect(work).rejects.toMatchObject({ exitCode: 129 });
});

test("afterwards a signal does what it always does", async () => {
  const before = process.listenerCount("SIGHUP");
  expect(await holdingSignals("the review", async () => process.listenerCount("SIGHUP"))).toBe(before + 1);
  expect(process.listenerCount("SIGHUP")).toBe(before);
  expect(throwIfStopped).not.toThrow();
});
