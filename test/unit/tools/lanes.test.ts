// Builds side by side, of which one fails.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allOrEnd } from "../../../tools/ensure.mjs";
import { run } from "../../../tools/run.mjs";

test("a build that fails ends those beside it, and is the one that is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-"));
  const log = join(folder, "log");
  const began = Date.now();
  const beside = run("sleep", ["30"], { log });
  const ended = expect(beside).rejects.toThrow(/`sleep 30` ended with SIGTERM/);
  await expect(allOrEnd([beside, run("false", [], { log: `${log}2` })])).rejects.toThrow(
    /`false` ended with 1/,
  );
  await ended;
  // Nor does a build go on with its next program.
  await expect(run("touch", [join(folder, "next")], { log })).rejects.toThrow("another stage has failed");
  expect(existsSync(join(folder, "next"))).toBe(false);
  expect(Date.now() - began).toBeLessThan(10_000);
  rmSync(folder, { recursive: true });
});
