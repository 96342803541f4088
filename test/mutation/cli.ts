// `npm run test:mutation -- [policy-id…]`: shows of each rule that a mutant of it turns a test red.
import { parseArgs } from "node:util";
import { runMain } from "../../cli/parts/progress.ts";
import { wrongUsage } from "../../cli/parts/arguments.ts";
import { UserError } from "../../lib/errors.ts";
import { allPolicies } from "../../policies/rules/index.ts";
import { rulesOf } from "./ownership.ts";
import { describe, failures } from "./report.ts";
import { judge, runMutants } from "./run.ts";

const USAGE = `Usage: npm run test:mutation -- [policy-id…] [--all]

Mutates each policy and the parsers that it alone uses, and runs its tests over
each mutant: answers nothing, a condition inverted, a branch cut. Without an id:
every policy.

  --all    lists also the living mutants that leave out one part of a condition;
           they fail nothing, and show which tests could be sharper

Exit codes: 0 each mutant turned a test red, 1 one did not, 2 wrong usage.`;

const ids = allPolicies.map(({ id }) => id);
const { values, positionals } = arguments_();
const unknown = positionals.filter((id) => !ids.includes(id));
if (unknown.length > 0) wrongUsage(`there is no policy ${unknown.join(", ")}`, USAGE);

await runMain(async () => {
  const start = performance.now();
  const rules = rulesOf(positionals.length > 0 ? positionals : ids, ids);
  const total = new Set(rules.flatMap(({ tests }) => tests)).size;
  let done = 0;
  const note = (file: string) => console.error(`… ${++done} of ${total}: ${file}`);
  const verdicts = (await runMutants(rules, note)).map(judge);
  console.log(describe(verdicts, values.all ?? false));
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  const failed = failures(verdicts);
  if (failed.length > 0) throw new UserError(failed.join("\n"));
});

function arguments_() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: { all: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (!parsed.values.help) return parsed;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    return wrongUsage((error as Error).message, USAGE);
  }
}
