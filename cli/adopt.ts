// `npm run adopt`: takes into a stack what somebody has made by hand: the tailnet's policy file, or
// Stalwart's settings.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { exportState, type OpenStack } from "./review/engine-runs.ts";
import { requireLabMachine, naming } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { importFile } from "./adopt/policy.ts";
import { adoptSettings, type Adoption, type Flat } from "./adopt/settings.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { inForeground } from "./parts/foreground.ts";
import { openRunningLab } from "./parts/open-lab.ts";
import { runMain } from "./parts/progress.ts";
import { openLabStack, openOwnStack } from "./review/engine.ts";
import { PROJECT } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run adopt -- policy --stack STACK
       npm run adopt -- settings [--stack STACK | --name NAME] [--json]

policy    Imports the tailnet's policy file into the stack's state, once, before
          its first \`up\`, with your own Pulumi backend and credentials. The
          provider never overwrites a policy that it has not read. (In the lab,
          \`npm run up\` does it.)
settings  Takes what was changed in Stalwart's admin UI into the stack's config
          file, so that the next \`up\` keeps it. Reads the server, and changes
          nothing but that file.

  --stack STACK       a stack of your own, with your own Pulumi
  --name NAME         a lab's stack (default: lab, or $TAILWART_LAB)
  --config-file FILE  the stack's config file (default: Pulumi.STACK.yaml)
  --json              the outcome as JSON on standard output

Exit codes of settings: 0 nothing differs any more, 3 something is left that the
config cannot hold, 1 it could not be found out, 2 wrong usage.`;

const text = { type: "string" } as const;
const options = { stack: text, "config-file": text, json: { type: "boolean" } } as const;
const { name, rest, values } = labArguments(USAGE, options, true);
const stack = values["stack"] as string | undefined;
const [what, ...more] = rest;
if (more.length > 0 || (what !== "policy" && what !== "settings"))
  wrongUsage("what to adopt is missing; write: npm run adopt -- settings", USAGE);
if (what === "policy" && !stack)
  wrongUsage("--stack is missing; write: npm run adopt -- policy --stack prod", USAGE);
if (stack !== undefined && values["name"] !== undefined)
  wrongUsage("--name and --stack exclude each other", USAGE);

await runMain(async () => (what === "policy" ? adoptPolicyOf(stack ?? "") : adoptSettingsNow()));

async function adoptPolicyOf(ofStack: string): Promise<void> {
  const { file, remove } = await importFile();
  const args = ["import", "--file", file, "--yes", "--generate-code=false", "--stack", ofStack];
  try {
    process.exitCode = await inForeground(["pulumi", ...args], { cwd: PROJECT });
  } catch {
    throw new UserError("pulumi is not on PATH", { hint: "https://www.pulumi.com/docs/install/" });
  } finally {
    await remove();
  }
}

async function adoptSettingsNow(): Promise<void> {
  const given = values["config-file"] as string | undefined;
  const { opened, file } = await open(given);
  if (!existsSync(file)) throw new UserError(`there is no config file ${file}`);
  console.error("… reading Stalwart's settings");
  const live = await liveSettingsOf(opened);
  if (!live) return;
  const adoption = adoptSettings(readFileSync(file, "utf8"), live);
  if (adoption.taken.length > 0) writeFileSync(file, adoption.text);
  const { taken, left } = adoption;
  console.log(values["json"] ? JSON.stringify({ file, taken, left }, null, 2) : describe(adoption, file));
  process.exitCode = left.length > 0 ? 3 : 0;
}

/**
 * What the server has now; undefined where that could not be found out, which has been said then.
 */
async function liveSettingsOf(opened: OpenStack): Promise<Flat | undefined> {
  const reader = join(import.meta.dirname, "adopt", "live-main.ts");
  const [program = "", ...args] = [...opened.before, process.execPath, reader];
  const input = await exportState(opened);
  const stdio = ["pipe", "pipe", "inherit"] as const;
  const done = spawnSync(program, args, { input, env: opened.env, stdio: [...stdio], maxBuffer: 2 ** 26 });
  if (done.status === 0) return JSON.parse(String(done.stdout)) as Flat;
  process.exitCode = 1;
  return undefined;
}

async function open(given: string | undefined) {
  if (stack !== undefined) {
    const file = given ?? join(PROJECT, `Pulumi.${stack}.yaml`);
    return { opened: await openOwnStack({ stack, project: PROJECT, configFile: file }), file };
  }
  requireLabMachine();
  const lab = await openRunningLab(name);
  return { opened: await openLabStack(name), file: given ?? lab.stack.configFile };
}

function describe({ taken, left }: Adoption, file: string): string {
  if (taken.length + left.length === 0) return "Stalwart's settings are what the config says.";
  const preview = stack === undefined ? `npm run preview${naming(name)}` : `pulumi preview --stack ${stack}`;
  return [
    ...(taken.length > 0 ? [`Taken into ${file}:`] : []),
    ...taken.map(({ path, from, to }) => `  ${path}: ${String(from)} → ${String(to)}`),
    ...(left.length > 0 ? ["No key of the config holds these; the next `up` puts them back:"] : []),
    ...left.map((key) => `  ${key}`),
    ...(taken.length > 0 ? [`Look at it with: git diff, and ${preview}`] : []),
  ].join("\n");
}
