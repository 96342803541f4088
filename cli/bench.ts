// `npm run bench`: the figures that the project promises, measured here and now.
import { existsSync } from "node:fs";

import { layoutOf, requireLabMachine } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { ensure } from "../tools/ensure.mjs";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { describeDomains, DOMAIN_BOUNDS, exceededByDomains } from "./bench/domain-figures.ts";
import { benchDomains } from "./bench/domains.ts";
import { BOUNDS, describe, exceeded, type Figures } from "./bench/figures.ts";
import { benchPolicies } from "./bench/policies.ts";
import { describePolicies, exceededByPolicies, POLICY_BOUNDS } from "./bench/policy-figures.ts";
import { previewFigures } from "./bench/preview.ts";
import { type StagedRun, timedCommand, upFigures } from "./bench/up.ts";
import { openRunningLab } from "./parts/open-lab.ts";
import { runMain, seconds } from "./parts/progress.ts";

const USAGE = `Usage: npm run bench [-- [policies | domains] [--name NAME] [--runs N]
                          [--ups N] [--json]]

Times \`npm run up\` from nothing with warm caches, \`npm run up\` again, and the
no-op preview against that of an empty program. Takes some minutes, on a machine
that has nothing else to do. What it starts it takes away again; a lab that runs
already is kept, and then "from nothing" is left out.

With \`policies\`: times previews of 20 and 200 plain resources instead, without
the policy pack and with it. With \`domains\`: previews of a stack with one domain
and with 1000 of them, which writes their records. Both need no lab, and no root.

  --name NAME   the lab to measure in (default: bench)
  --runs N      turns of each kind; their median counts (default: 5)
  --ups N       runs of \`npm run up\`; their median counts (default: 3)
  --json        the figures as JSON, in milliseconds, on standard output

Exit codes: 0 within the bounds (up: ${BOUNDS.upSeconds} s, preview: ${BOUNDS.previewRatio} × the empty one; the
pack: ${POLICY_BOUNDS.share * 100} % at ${POLICY_BOUNDS.shareAt} resources; 1000 domains: ${DOMAIN_BOUNDS.ratio} × one), 1 a bound is
exceeded or a run failed, 2 wrong usage.`;

const { values, rest } = labArguments(
  USAGE,
  { runs: { type: "string" }, ups: { type: "string" }, json: { type: "boolean" } },
  true,
);
const MEASURES: Readonly<Record<string, () => Promise<void>>> = {
  "": measureLab,
  policies: measurePolicies,
  domains: measureDomains,
};
const measure = rest.length > 1 ? undefined : MEASURES[rest[0] ?? ""];
if (!measure)
  wrongUsage(`"${rest.join(" ")}" is nothing to measure; write policies or domains, or nothing`, USAGE);
const name = (values["name"] as string | undefined) ?? "bench";
const runs = count("runs", 5);
const ups = count("ups", 3);

const start = Date.now();
const note = (text: string) => console.error(`… ${text} (${seconds(start)})`);

await runMain(measure);

async function measurePolicies(): Promise<void> {
  note("toolchain");
  const { env } = await ensure(["engine"], { quiet: true });
  const figures = await benchPolicies(runs, env, note);
  report({ sizes: figures }, POLICY_BOUNDS, exceededByPolicies(figures), describePolicies(figures));
}

async function measureDomains(): Promise<void> {
  note("toolchain");
  await ensure(["engine"], { quiet: true });
  const figures = await benchDomains(runs, note);
  report(figures, DOMAIN_BOUNDS, exceededByDomains(figures), describeDomains(figures));
}

async function measureLab(): Promise<void> {
  requireLabMachine();
  const { machines, cacheDir } = layoutOf(name);
  const wasRunning = existsSync(`/run/netns/${machines.operator.netns}`);
  // The command under way gets it too, and fails; what this one has started is taken away below.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => note("stopping"));
  note("toolchain");
  await ensure(["engine", "lab", "server"], { quiet: true });

  const fromNothing: StagedRun[] = [];
  try {
    if (!wasRunning) {
      if (!existsSync(`${cacheDir}/images`)) {
        note("up, to fill the cache: not counted");
        await timedCommand("up", name);
      }
      for (let run = 1; run <= ups; run++) {
        note(`up from nothing: ${run} of ${ups}`);
        await timedCommand("down", name);
        fromNothing.push(await timedCommand("up", name));
      }
    }
    const again: StagedRun[] = [];
    // The first one is not counted where the lab has been running: it may have something to change.
    if (wasRunning) await timedCommand("up", name);
    for (let run = 1; run <= ups; run++) {
      note(`up again: ${run} of ${ups}`);
      again.push(await timedCommand("up", name));
    }
    const { stack } = await openRunningLab(name);
    const figures: Figures = {
      lab: name,
      ...(fromNothing.length > 0 ? { upFromNothing: upFigures(fromNothing) } : {}),
      upAgain: upFigures(again),
      preview: await previewFigures(stack, runs, note),
    };
    report(figures, BOUNDS, exceeded(figures), describe(figures));
  } finally {
    if (!wasRunning) {
      note(`down of the lab "${name}"`);
      await timedCommand("down", name);
    }
  }
}

/** Prints the figures. @throws UserError when they exceed a bound */
function report(figures: object, bounds: object, tooMuch: string[], words: string): void {
  if (values["json"]) console.log(JSON.stringify({ ...figures, bounds, exceeded: tooMuch }, null, 2));
  else console.log(`\n${words}\n`);
  if (tooMuch.length > 0) throw new UserError(tooMuch.join("\n"));
}

/** A count among the options. Anything but a whole number from 1 to 99 ends with exit code 2. */
function count(option: string, otherwise: number): number {
  const text = values[option] as string | undefined;
  if (text === undefined) return otherwise;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  return wrongUsage(`--${option} accepts a whole number from 1 to 99, not "${text}"`, USAGE);
}
