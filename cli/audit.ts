// `npm run audit`: the policy pack over what is deployed, and whether what runs is still what was
// deployed.
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { analyze, refresh } from "./review/engine-runs.ts";
import { requireLabMachine, naming } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { runMain } from "./parts/progress.ts";
import { auditCode, auditReport } from "./review/audit-report.ts";
import { openLabStack, openNothing, openOwnStack } from "./review/engine.ts";
import { defaultFolder, describeReports, writeReports } from "./review/write-report.ts";
import { PROJECT } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run audit [-- [--name NAME | --stack STACK | --file FILE] [--json] …]

Has the policy pack judge a deployed stack by its state, where nothing is
unknown, and asks the hosts whether what runs is what the state says. Changes
nothing, and writes audit.md and audit.sarif.

  --name NAME           which lab (default: lab, or $TAILWART_LAB)
  --stack STACK         a stack of your own instead, with your own Pulumi
  --file FILE           a state that pulumi stack export has written; then no
                        host is asked
  --cwd DIR             another Pulumi program's folder (default: tailwart's)
  --policy-config FILE  config of the policy pack
  --out DIR             where to (default: a folder in the temporary one)
  --json                the report as JSON on standard output

Exit codes: 0 clean, 1 a violation, or the audit could not be ended, 2 wrong
usage, 3 no violation, but drift.`;

const text = { type: "string" } as const;
const { name, values } = labArguments(USAGE, {
  stack: text,
  file: text,
  cwd: text,
  "policy-config": text,
  out: text,
  json: { type: "boolean" },
});
const { stack, file, cwd, out } = values as Record<string, string | undefined>;
if ([values["name"], stack, file].filter((each) => each !== undefined).length > 1)
  wrongUsage("--name, --stack and --file exclude each other", USAGE);
const project = cwd === undefined ? PROJECT : resolve(cwd);
const policyConfig = values["policy-config"] as string | undefined;

await runMain(async () => {
  for (const each of [file, policyConfig])
    if (each !== undefined && !existsSync(each)) throw new UserError(`there is no file ${each}`);
  const opened = await open();
  const title = file === undefined ? opened.stack : basename(file);
  console.error(`… judging the state of ${title}`);
  const config = policyConfig === undefined ? undefined : resolve(policyConfig);
  const judged = await analyze(opened, config, file === undefined ? undefined : resolve(file));
  if (file === undefined) console.error("… asking the hosts for drift");
  const looked = file === undefined ? await refresh(opened) : undefined;
  const report = auditReport(title, judged, looked, [project, PROJECT]);
  const { configFile } = opened;
  const written = await writeReports(
    [{ report, ...(configFile !== undefined && { configFile }) }],
    resolve(out ?? defaultFolder("audit", [report])),
    project,
  );
  console.log(values["json"] ? JSON.stringify(report, null, 2) : describeReports([report], written));
  process.exitCode = auditCode(report);
});

async function open() {
  if (file !== undefined) return openNothing(project);
  if (stack !== undefined) {
    const configFile = join(project, `Pulumi.${stack}.yaml`);
    return openOwnStack({ stack, project, configFile: existsSync(configFile) ? configFile : undefined });
  }
  requireLabMachine();
  const opened = await openLabStack(name);
  const [, configFile] = opened.flags.slice(-2);
  if (configFile === undefined || !existsSync(configFile))
    throw new UserError(`no stack is deployed in the lab "${name}"`, {
      hint: `run: npm run up${naming(name)}`,
    });
  return opened;
}
