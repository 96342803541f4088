// `npm run test:guards -- [lesson…]`: cuts each lesson's guards out of a copy of the code, one
// after the other, and says which test has noticed.
import { parseArgs } from "node:util";

import { runMain } from "../../cli/parts/progress.ts";
import { wrongUsage } from "../../cli/parts/arguments.ts";
import { UserError } from "../../lib/errors.ts";
import { CARDS, PREVENTING, REFUSING } from "./cuts.ts";
import { describePlayed, playCuts, type Played } from "./lab.ts";
import { describe, failureOf, tryCuts, type Verdict } from "./run.ts";

const USAGE = `Usage: npm run test:guards -- [LESSON…] [--lab NAME] [--json]

Cuts each guard of the lessons out of a copy of the code (what prevents the
outage, and each policy that refuses it), runs the fast tests over it, and says
which of them has noticed. Without a number: all lessons.

  --lab NAME  plays the lessons in this lab, which is up, by the code without
              what prevents their outages, in the tests' place
  --json      the verdicts as JSON on standard output

Exit codes: 0 each cut was noticed, 1 one was not, 2 wrong usage.`;

const { values, positionals } = arguments_();
const numbers = CARDS.map(({ number }) => String(number));
const unknown = positionals.filter((word) => !numbers.includes(word));
if (unknown.length > 0) wrongUsage(`there is no lesson ${unknown.join(", ")}`, USAGE);
const isMeant = ({ lesson }: { lesson: number }) =>
  positionals.length === 0 || positionals.includes(String(lesson));

const print = values.json ? console.error : console.log;

await runMain(async () => {
  const start = performance.now();
  const failed = values.lab === undefined ? await byTests() : await byLab(values.lab);
  print(`${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (failed.length > 0) throw new UserError(failed.join("\n"));
});

async function byTests(): Promise<string[]> {
  const cuts = [...PREVENTING, ...REFUSING].filter(isMeant).toSorted((a, b) => a.lesson - b.lesson);
  const verdicts: Verdict[] = [];
  for await (const verdict of tryCuts(cuts)) {
    verdicts.push(verdict);
    print(describe(verdict));
  }
  if (values.json) console.log(JSON.stringify(verdicts, null, 2));
  const failed = verdicts.flatMap((verdict) => failureOf(verdict) ?? []);
  print(`${verdicts.length - failed.length} of ${verdicts.length} cuts noticed`);
  return failed;
}

async function byLab(name: string): Promise<string[]> {
  const all: Played[] = [];
  for await (const played of playCuts(name, PREVENTING.filter(isMeant))) {
    all.push(played);
    print(describePlayed(played));
  }
  if (values.json) console.log(JSON.stringify(all, null, 2));
  const failed = all.filter(({ seen }) => seen.length === 0);
  print(`${all.length - failed.length} of ${all.length} lessons red`);
  return failed.map(({ lesson }) => `lesson ${lesson} is not red without its guard`);
}

function arguments_() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: { lab: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (!parsed.values.help) return parsed;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    return wrongUsage((error as Error).message, USAGE);
  }
}
