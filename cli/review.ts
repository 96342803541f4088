// `npm run review`: what a change would do and what the policy pack says of it, for people
// (Markdown) and code scanning (SARIF).
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { requireLabMachine } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { holdingSignals } from "./parts/held-signals.ts";
import { runMain } from "./parts/progress.ts";
import { PROJECT } from "./parts/pulumi-cli.ts";
import { reviewAgainst } from "./review/base/against.ts";
import { openLabStack } from "./review/engine.ts";
import { type OpenStack, preview } from "./review/engine-runs.ts";
import { reportOf } from "./review/model.ts";
import { defaultFolder, describeReports, type Reviewed, writeReports } from "./review/write-report.ts";
import { policyFileIn } from "./review/policy-file.ts";
import { openSelected, selected, type Selection } from "./review/selection.ts";

const USAGE = `Usage: npm run review [-- [--stack STACK] [--state FILE] [--out DIR] [--json] …]

Previews with the policy pack, changes nothing, and writes review.md and
review.sarif, also when a preview fails. Under GitHub Actions the summary goes
to the job's page, too. Without --stack: every stack file (Pulumi.*.yaml), from
nothing, with a dummy for each secret: no network, no login, no credential.

  --stack STACK         this one alone, by its Pulumi.STACK.yaml. One that holds
                        secrets is asked for in your own backend
  --from-nothing        that one, too, with dummies and no state
  --base REF            what the working tree changes of the commit REF, such as
                        main: both are previewed from nothing, and differ by
                        resource and property; also which findings are new
  --state FILE          from a copy of its state (pulumi stack export), not from
                        your backend; takes your passphrase
                        (PULUMI_CONFIG_PASSPHRASE or _FILE) and nothing else
  --save-plan FILE      keeps what is planned for the named stack, so that
                        pulumi up --plan FILE does that and nothing else
  --name NAME           a lab's stack instead
  --config-file FILE    the stack's config, where it is not Pulumi.STACK.yaml
  --cwd DIR             another Pulumi program's folder (default: tailwart's)
  --policy-config FILE  config of the policy pack
  --out DIR             where to (default: a folder in the temporary one)
  --json                a list of reports as JSON on standard output

Exit codes: 0 all could be deployed, 2 wrong usage, another: pulumi's own of the
first that could not.`;

const text = { type: "string" } as const;
const { name, values } = labArguments(USAGE, {
  stack: text,
  "from-nothing": { type: "boolean" },
  base: text,
  "save-plan": text,
  state: text,
  "config-file": text,
  cwd: text,
  "policy-config": text,
  out: text,
  json: { type: "boolean" },
});
const { state, cwd, out } = values as Record<string, string | undefined>;
const configFile = values["config-file"] as string | undefined;
const isLab = values["name"] !== undefined;
if (isLab && (values["stack"] ?? state ?? cwd) !== undefined)
  wrongUsage("--name is for a lab's stack, and takes no --stack, --state or --cwd", USAGE);
const base = values["base"] as string | undefined;
if (base !== undefined && (state !== undefined || isLab))
  wrongUsage("--base compares two previews from nothing: it takes no --state and no --name", USAGE);
const plan = values["save-plan"] as string | undefined;
if (plan !== undefined && (base !== undefined || (values["stack"] === undefined && !isLab)))
  wrongUsage("--save-plan is for one stack, named by --stack or --name, and takes no --base", USAGE);
if (values["from-nothing"] && (state !== undefined || isLab))
  wrongUsage("--from-nothing is without a state: it takes no --state and no --name", USAGE);
const project = cwd === undefined ? PROJECT : resolve(cwd);
const policyFile = values["policy-config"] as string | undefined;
const policyConfig = policyFile === undefined ? undefined : resolve(policyFile);
const selection: Selection = {
  project,
  // A state and a config file are one stack's.
  stack: (values["stack"] as string | undefined) ?? ((state ?? configFile) && "review"),
  state,
  configFile,
  fromNothing: values["from-nothing"] === true,
  mayLackFile: cwd !== undefined,
};

await runMain(async () => {
  for (const file of [state, policyFile])
    if (file !== undefined && !existsSync(file)) throw new UserError(`there is no file ${file}`);
  const reviewed = await holdingSignals("the review", () =>
    base === undefined ? reviewAll() : reviewAgainst(base, selection, policyConfig),
  );
  const reports = reviewed.map(({ report }) => report);
  const folder = resolve(out ?? defaultFolder("review", reports));
  const written = await writeReports(reviewed, folder, project);
  console.log(values["json"] ? JSON.stringify(reports, null, 2) : describeReports(reports, written));
  process.exitCode = reviewed.find(({ code }) => code !== 0)?.code ?? 0;
});

async function reviewAll(): Promise<Reviewed[]> {
  const reviewed: Reviewed[] = [];
  for (const open of isLab ? [openLab] : openers()) reviewed.push(await review(await open()));
  return reviewed;
}

async function openLab(): Promise<OpenStack> {
  requireLabMachine();
  return openLabStack(name);
}

function openers(): (() => Promise<OpenStack>)[] {
  return selected(selection).map((source) => () => openSelected(source, selection));
}

async function review(opened: OpenStack): Promise<Reviewed> {
  try {
    console.error(`… previewing the stack ${opened.stack}`);
    if (plan !== undefined) await mkdir(dirname(resolve(plan)), { recursive: true });
    const run = await preview(opened, policyConfig, plan === undefined ? undefined : resolve(plan));
    const report = reportOf(run.events, {
      kind: "review",
      stack: opened.stack,
      code: run.code,
      stderr: run.stderr,
      folders: [project, PROJECT],
    });
    const { configFile } = opened;
    const policyFile = policyFileIn(run.events);
    return {
      report,
      code: run.code,
      ...(configFile !== undefined && { configFile }),
      ...(policyFile !== undefined && { policyFile }),
    };
  } finally {
    await opened.remove();
  }
}
