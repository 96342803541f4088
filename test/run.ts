// `npm test`: everything from nothing. Checks the text first, then what runs, and ends with one line of counts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Progress, runMain } from "../cli/progress.ts";
import { UserError } from "../lib/errors.ts";
import { ensureDebianPackages } from "../tools/debian.mjs";
import { ensure } from "../tools/ensure.mjs";
import { debian } from "../tools/manifest.mjs";

const full = process.argv.includes("--full");
const extra = process.argv.slice(2).filter((argument) => argument !== "--full");

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  const done = spawnSync(join("node_modules", ".bin", command), args, {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (done.status !== 0) throw new UserError(`${command} ${args.join(" ")} found something to mend (above)`);
}

await runMain(async () => {
  const progress = new Progress(5);
  await progress.stage("lint", async () => run("eslint", ["."]));
  await progress.stage("format", async () => run("prettier", ["--check", "--log-level", "warn", "."]));
  await progress.stage("types", async () => run("tsc", ["--noEmit"]));
  await progress.stage("Debian packages", () => ensureDebianPackages(debian.lab));
  const tools = await progress.stage("toolchain", () =>
    ensure(["engine", "lab", ...(full ? (["full"] as const) : [])]),
  );

  const folder = mkdtempSync(join(tmpdir(), "tailwart-test-"));
  const report = join(folder, "report.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...extra];
  const done = spawnSync(join("node_modules", ".bin", "vitest"), args, {
    stdio: "inherit",
    env: {
      ...process.env,
      ...tools.env,
      ...(full && {
        TAILWART_FULL: "1",
        TAILWART_PROPERTY_RUNS: process.env["TAILWART_PROPERTY_RUNS"] ?? "10000",
      }),
    },
  });
  const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(report, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    success: boolean;
  };
  rmSync(folder, { recursive: true });
  // A suite that could not even start has no failed test of its own, and must not pass as green.
  const failed = success && done.status === 0 ? numFailedTests : Math.max(numFailedTests, 1);
  console.log(`${numPassedTests} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
