// `npm run review`: what a change would do and what the policy pack says of it, for people
// (Markdown) and code scanning (SARIF).
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { preview } from "./review/engine-runs.ts";
import { requireLabMachine } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { runMain } from "./parts/progress.ts";
import { isDeployable, openLabStack, openOwnStack, openTemporaryStack } from "./review/engine.ts";
import { reportOf } from "./review/model.ts";
import { defaultFolder, describeReport, writeReport } from "./review/output.ts";
import { PROJECT } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run review [-- [--stack STACK] [--state FILE] [--out DIR] [--json] …]

Previews a stack with the policy pack, changes nothing, and writes review.md and
review.sarif, also when the preview fails. Under GitHub Actions the summary goes
to the job's page, too.

  --stack STACK         by its Pulumi.STACK.yaml (default: review). One that
                        holds no secret is previewed from nothing, with dummy
                        secrets: no network, no login, no credential
  --state FILE          from a copy of its state (pulumi stack export), not from
                        your backend; takes your passphrase
                        (PULUMI_CONFIG_PASSPHRASE or _FILE) and nothing else
  --name NAME           a lab's stack instead
  --config-file FILE    the stack's config, where it is not Pulumi.STACK.yaml
  --cwd DIR             another Pulumi program's folder (default: tailwart's)
  --policy-config FILE  config of the policy pack
  --out DIR             where to (default: a folder in the temporary one)
  --json                the report as JSON on standard output

Exit codes: 0 it could be deployed, 2 wrong usage, another: pulumi's own.`;

const text = { type: "string" } as const;
const { name, values } = labArguments(USAGE, {
  stack: text,
  state: text,
  "config-file": text,
  cwd: text,
  "policy-config": text,
  out: text,
  json: { type: "boolean" },
});
const { stack = "review", state, cwd, out } = values as Record<string, string | undefined>;
const isLab = values["name"] !== undefined;
if (isLab && (values["stack"] ?? state ?? cwd) !== undefined)
  wrongUsage("--name is for a lab's stack, and takes no --stack, --state or --cwd", USAGE);
const project = cwd === undefined ? PROJECT : resolve(cwd);
const policyConfig = values["policy-config"] as string | undefined;
const configFile = resolve(
  (values["config-file"] as string | undefined) ?? join(project, `Pulumi.${stack}.yaml`),
);

await runMain(async () => {
  for (const file of [state, policyConfig])
    if (file !== undefined && !existsSync(file)) throw new UserError(`there is no file ${file}`);
  const opened = await open();
  try {
    console.error(`… previewing the stack ${opened.stack}`);
    const run = await preview(opened, policyConfig === undefined ? undefined : resolve(policyConfig));
    const report = reportOf(run.events, {
      kind: "review",
      stack: opened.stack,
      code: run.code,
      stderr: run.stderr,
      folders: [project, PROJECT],
    });
    const folder = resolve(out ?? defaultFolder("review", opened.stack));
    const written = await writeReport(report, folder, project, opened.configFile);
    console.log(values["json"] ? JSON.stringify(report, null, 2) : describeReport(report, written));
    process.exitCode = run.code;
  } finally {
    await opened.remove();
  }
});

async function open() {
  if (isLab) {
    requireLabMachine();
    return openLabStack(name);
  }
  if (!existsSync(join(project, "Pulumi.yaml")))
    throw new UserError(`there is no Pulumi.yaml in ${project}`, {
      hint: "write: --cwd with the program's folder",
    });
  const isThere = existsSync(configFile);
  if (!isThere && (cwd === undefined || values["config-file"] !== undefined))
    throw new UserError(`there is no file ${configFile}`, {
      hint: "write: --stack prod, or --config-file FILE",
    });
  const from = { stack, project, configFile: isThere ? configFile : undefined };
  if (state !== undefined) return openTemporaryStack(from, resolve(state));
  return isThere && isDeployable(readFileSync(configFile, "utf8"))
    ? openOwnStack(from)
    : openTemporaryStack(from);
}
