import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { openTemporaryStack } from "../../../../cli/review/engine.ts";

vi.mock("../../../../tools/ensure.mjs", () => ({ ensure: async () => ({ env: {} }) }));

test("a temporary stack that cannot be opened leaves no folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tailwart-temporary-test-"));
  mkdirSync(join(folder, "tmp"));
  vi.stubEnv("TMPDIR", join(folder, "tmp"));
  try {
    await expect(openTemporaryStack({ stack: "x", project: join(folder, "away") })).rejects.toThrow("ENOENT");
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});
