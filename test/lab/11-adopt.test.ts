// `npm run adopt -- settings` on the lab's deployed stack: a hand edit becomes the config's.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

import { stackFlags } from "../../cli/parts/lab-config.ts";
import { pulumi } from "../../cli/parts/pulumi-cli.ts";
import { allowStranger, connectTimeout, editConnectTimeout, NAMES } from "./hands.ts";
import { said, stack, up } from "./lab.ts";
import { LAB } from "./setup.ts";

const PROJECT = join(import.meta.dirname, "..", "..");

interface Outcome {
  taken: { path: string; from: unknown; to: unknown }[];
  left: string[];
}

function adopt(): { code: number | null; outcome: Outcome } {
  const args = [join(PROJECT, "cli", "adopt.ts"), "settings", "--name", LAB, "--json"];
  const done = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: "utf8" });
  expect(done.stdout, done.stderr).toMatch(/^\{/);
  return { code: done.status, outcome: JSON.parse(done.stdout) as Outcome };
}

const preview = (...args: string[]) => pulumi(stack, ["preview", ...stackFlags(stack), "--diff", ...args]);

afterAll(async () => {
  const run = await up({}, "--refresh");
  expect(run.code, said(run)).toBe(0);
});

describe("adopt", () => {
  test("finds nothing to take where nobody has edited anything", () => {
    expect(adopt()).toMatchObject({ code: 0, outcome: { taken: [], left: [] } });
  });

  test("takes an edit into the config file", async () => {
    await editConnectTimeout(45);
    expect(adopt()).toMatchObject({
      code: 0,
      outcome: { taken: [{ path: "tailwart:settings.connectTimeout", from: 30, to: 45 }], left: [] },
    });
    const { config } = parse(readFileSync(stack.configFile, "utf8")) as { config: Record<string, unknown> };
    expect(config["tailwart:settings"]).toMatchObject({ connectTimeout: 45 });
  });

  test.runIf(process.env["TAILWART_FULL"])("so that the next up keeps it", async () => {
    const kept = await pulumi(stack, ["up", "--yes", "--skip-preview", ...stackFlags(stack), "--refresh"]);
    expect(kept.code, said(kept)).toBe(0);
    expect(await connectTimeout()).toBe(45);
    expect((await preview("--refresh", "--expect-no-changes")).code).toBe(0);
  });

  test("names an edit that no key of the config holds, and leaves it to the next up", async () => {
    await allowStranger();
    const { code, outcome } = adopt();
    expect(outcome.left.length).toBeGreaterThan(0);
    expect(outcome.left.filter((key) => !key.startsWith(NAMES.stranger))).toEqual([]);
    expect(code).toBe(3);
  });
});
