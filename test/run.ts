// `npm test`: everything from nothing. Checks the text first, then what runs, and ends with one
// line of counts. `npm test -- --image stalwart=FILE` tries the lab's suite on another image than
// the lab's own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { groupsFor } from "../cli/parts/open-lab.ts";
import { Progress, runMain } from "../cli/parts/progress.ts";
import { UserError } from "../lib/errors.ts";
import { ensureDebianPackages } from "../tools/debian.mjs";
import { ensure } from "../tools/ensure.mjs";
import { debian } from "../tools/manifest.mjs";

const words = process.argv.slice(2);
const full = words.includes("--full");
// `--image` and `--line` go to the lab's `npm run up`, everything else to vitest.
const isForUp = (index: number) =>
  /^--(image|line)(=|$)/.test(words[index] ?? "") || /^--(image|line)$/.test(words[index - 1] ?? "");
const forUp = words.filter((_, index) => isForUp(index));
const extra = words.filter((word, index) => word !== "--full" && !isForUp(index));

const USAGE = `Usage: npm run test:full [-- FILE…]
       npm test [-- FILE…]

Lint, format, types, and then vitest, over all tests or those whose path holds
one of the words; the lab's tests run in a lab of their own. test:full adds what
is slow, and runs property tests 10,000 times. Ends with "N passed, N failed".

Exit codes: 0 all passed, 1 something is to be mended.`;
if (process.argv.includes("--help")) {
  console.log(USAGE);
  process.exit(0);
}

/** What it prints comes at once, when it has ended: others run beside it. */
async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(join("node_modules", ".bin", command), args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  child.stdout.on("data", (data: Buffer) => (printed += data.toString()));
  child.stderr.on("data", (data: Buffer) => (printed += data.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  process.stdout.write(printed);
  if (status !== 0) throw new UserError(`${command} ${args.join(" ")} found something to mend (above)`);
}

await runMain(async () => {
  const progress = new Progress(3);
  // Each keeps one core busy; eslint takes as long as the others together.
  await progress.stage("lint, layers, format, types", () =>
    Promise.all([
      run("eslint", ["."]),
      run("depcruise", ["."])
        .then(() => run("prettier", ["--check", "--log-level", "warn", "."]))
        .then(() => run("tsc", ["--noEmit"])),
    ]),
  );
  await progress.stage("Debian packages", () =>
    ensureDebianPackages([...debian.lab, ...(full ? debian.full : [])]),
  );
  const tools = await progress.stage("toolchain", () =>
    ensure([
      ...groupsFor(forUp.find((word) => /^(--image=)?stalwart=/.test(word))),
      ...(full ? (["full"] as const) : []),
    ]),
  );

  const folder = mkdtempSync(join(tmpdir(), "tailwart-test-"));
  const report = join(folder, "report.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...extra];
  const done = spawnSync(join("node_modules", ".bin", "vitest"), args, {
    stdio: "inherit",
    env: {
      ...process.env,
      ...tools.env,
      TAILWART_UP_ARGUMENTS: JSON.stringify(forUp),
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
