// `npm run adopt`: takes into a stack what somebody has made by hand: the tailnet's policy file,
// Stalwart's settings, or records of the DNS.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { wantedRecords } from "../config/written-records.ts";
import { recordSets } from "../lib/dns/record-sets.ts";
import { ZoneReader } from "../verify/doctor/zone.ts";
import { exportState, type OpenStack } from "./review/engine-runs.ts";
import { requireLabMachine, naming } from "../lab/topology.ts";
import { UserError } from "../lib/errors.ts";
import { adoptRecords, describeAdopted, foreignIn, liveSets, writtenIn } from "./adopt/dns.ts";
import { importFile } from "./adopt/policy.ts";
import { adoptSettings, type Adoption, type Flat } from "./adopt/settings.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { configIn } from "./parts/config-file.ts";
import { dkimRecordsOf } from "./parts/dkim-records.ts";
import { inForeground } from "./parts/foreground.ts";
import { openRunningLab } from "./parts/open-lab.ts";
import { runMain } from "./parts/progress.ts";
import { openLabStack, openOwnStack } from "./review/engine.ts";
import { PROJECT } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run adopt -- policy --stack STACK
       npm run adopt -- settings [--stack STACK | --name NAME] [--json]
       npm run adopt -- dns --stack STACK [RECORD… | --all] [--json]

policy    Imports the tailnet's policy file into the stack's state, once, before
          its first \`up\`, with your own Pulumi backend and credentials. The
          provider never overwrites a policy that it has not read. (In the lab,
          \`npm run up\` does it.)
settings  Takes what was changed in Stalwart's admin UI into the stack's config
          file, so that the next \`up\` keeps it. Reads the server, and changes
          nothing but that file.
dns       Shows the records that somebody else has set where the stack's own are
          to be, which stop a deploy, as the zones' own servers have them. Those
          that are named, or --all, go into dns.adopt of the stack's config
          file, so that the next \`up\` replaces them. Changes nothing else.

  RECORD              a name and a type, in quotes: "example.org MX"
  --stack STACK       a stack of your own, with your own Pulumi
  --name NAME         a lab's stack (default: lab, or $TAILWART_LAB)
  --config-file FILE  the stack's config file (default: Pulumi.STACK.yaml)
  --json              the outcome as JSON on standard output

Exit codes of settings: 0 nothing differs any more, 3 something is left that the
config cannot hold, 1 it could not be found out, 2 wrong usage. Of dns the same:
3 is for records that are in the way still.`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = { stack: text, "config-file": text, json: flag, all: flag } as const;
const { name, rest, values } = labArguments(USAGE, options, true);
const stack = values["stack"] as string | undefined;
const [what, ...more] = rest;
if (what !== "policy" && what !== "settings" && what !== "dns")
  wrongUsage("what to adopt is missing; write: npm run adopt -- settings", USAGE);
if (what !== "dns" && (more.length > 0 || values["all"] === true))
  wrongUsage(`${what} takes no record; write: npm run adopt -- ${what}`, USAGE);
if (what !== "settings" && !stack)
  wrongUsage(`--stack is missing; write: npm run adopt -- ${what} --stack prod`, USAGE);
if (stack !== undefined && values["name"] !== undefined)
  wrongUsage("--name and --stack exclude each other", USAGE);

await runMain(async () => {
  if (what === "policy") await adoptPolicyOf(stack ?? "");
  else if (what === "settings") await adoptSettingsNow();
  else await adoptDnsOf(stack ?? "");
});

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

async function adoptDnsOf(ofStack: string): Promise<void> {
  const { opened, file } = await open(values["config-file"] as string | undefined);
  if (!existsSync(file)) throw new UserError(`there is no config file ${file}`);
  const config = configIn(file);
  const wanted = recordSets(wantedRecords(config, await dkimRecordsOf(config, ofStack, name)).records);
  console.error("… asking the zones' servers");
  const live = await liveSets(Object.keys(wanted), new ZoneReader(config.dns.servers));
  const foreign = foreignIn(live, wanted, writtenIn(await exportState(opened)), config.dns.adopt);
  const keys = foreign.map(({ key }) => key);
  const taken = values["all"] === true ? keys : more;
  const stranger = taken.find((key) => !keys.includes(key));
  if (stranger !== undefined)
    throw new UserError(`${stranger} is in nobody's way`, {
      hint: keys.length > 0 ? `these are: ${keys.join(", ")}` : "nothing is",
    });
  if (taken.length > 0) writeFileSync(file, adoptRecords(readFileSync(file, "utf8"), taken));
  const left = foreign.filter(({ key }) => !taken.includes(key));
  console.log(
    values["json"] ? JSON.stringify({ file, taken, left }, null, 2) : describeAdopted(file, taken, left),
  );
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
