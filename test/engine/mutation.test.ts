import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allPolicies } from "../../policies/rules/index.ts";

/**
 * CI mutates three rules: one over single resources, one over the whole stack, one that reads Caddy
 * configs.
 */
const THREE = ["no-direct-smtp-egress", "stalwart-shares-anchor", "edge-port-conflict"];

/** In a process of its own, since it starts a vitest. */
function mutate(ids: readonly string[]): Promise<{ code: number; output: string }> {
  const script = join(import.meta.dirname, "../mutation/cli.ts");
  // Vitest would take itself for a worker of the one that runs this test.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  return new Promise((done) => {
    execFile(process.execPath, [script, ...ids], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({
        code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
        output: stdout + stderr,
      }),
    );
  });
}

const ids = process.env["TAILWART_FULL"] ? allPolicies.map(({ id }) => id) : THREE;

test("a policy that answers nothing, has a condition inverted or a branch cut turns one of its tests red", async () => {
  const { code, output } = await mutate(ids);
  expect(code, output).toBe(0);
  for (const id of ids) {
    const [, mutants, killed] = new RegExp(`^${id} +(\\d+) +(\\d+)`, "m").exec(output) ?? [];
    expect(Number(killed), `${id} in\n${output}`).toBeGreaterThan(Number(mutants) / 2);
  }
}, 1_200_000);

test("a word that is no policy is refused before anything runs", async () => {
  const { code, output } = await mutate(["no-such-policy"]);
  expect(output).toContain("there is no policy no-such-policy");
  expect(code).toBe(2);
});
