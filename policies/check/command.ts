import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { EnforcementLevel } from "@pulumi/policy";

import { UserError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json-values.ts";
import { PackRun, type PolicyConfig } from "../framework/pack-state.ts";
import { allPolicies } from "../rules/index.ts";
import { readBaseline, writeBaseline } from "./baseline.ts";
import { discover } from "./discover.ts";
import { expiredExceptions, judge } from "./judge.ts";
import { toJson } from "./report/json.ts";
import { printableLine } from "./report/printable.ts";
import { toSarif } from "./report/sarif.ts";
import { toText } from "./report/text.ts";
import { Repository } from "./repository.ts";
import { exitCodeOf, type Result } from "./result.ts";
import { readInputs } from "./stacks.ts";

export const USAGE = `Usage: tailwart-policies check [OPTION…] [PATH…]

Judges files without Pulumi: compose files, Caddyfiles and caddy.json, the tailnet's
policy file, Stalwart's config.toml and plans, and state exports. Looks for them
below each PATH (default: the folder you are in); asks no network.

  --json                 the result as JSON
  --sarif                the result as SARIF 2.1.0, for code scanning
  --baseline FILE        what FILE lists is known and passes; what is new fails
  --write-baseline       write what is found today into that file
  --profile NAME         of compose: judge these profiles together (may be repeated;
                         default: each by itself)
  --policy-config FILE   config of the policies, as --policy-pack-config takes it
  --help                 this text

Exit codes: 0 nothing (new) is refused, 1 something is, or a file cannot be read,
2 wrong usage.`;

/** What a command writes and how it ends. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

class WrongUsage extends Error {}

/**
 * Runs the command.
 *
 * @param folder the one that paths are told from, and in which the exceptions are
 * @param version of the package, for SARIF
 */
export async function check(args: readonly string[], folder: string, version: string): Promise<Outcome> {
  try {
    const options = optionsOf(args);
    if (options.help) return { stdout: `${USAGE}\n`, stderr: "", exitCode: 0 };
    return await run(options, folder, version);
  } catch (error) {
    if (error instanceof WrongUsage)
      return { stdout: "", stderr: `${error.message}\n\n${USAGE}\n`, exitCode: 2 };
    if (!isMistake(error)) throw error;
    return {
      stdout: "",
      stderr: `error: ${error.message.split("\n").map(printableLine).join("\n")}\n`,
      exitCode: 1,
    };
  }
}

/** A user's, which is told in words; anything else is ours, and has a stack. */
const isMistake = (error: unknown): error is Error =>
  error instanceof UserError ||
  (error instanceof Error && ["PolicySettingsError", "ExceptionsError"].includes(error.name));

function optionsOf(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        sarif: { type: "boolean" },
        baseline: { type: "string" },
        "write-baseline": { type: "boolean" },
        profile: { type: "string", multiple: true },
        "policy-config": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.json && values.sarif) throw new WrongUsage("--json and --sarif exclude each other");
    if (values["write-baseline"] && values.baseline === undefined)
      throw new WrongUsage("--write-baseline takes --baseline FILE");
    return { ...values, paths: positionals.length > 0 ? positionals : ["."] };
  } catch (error) {
    if (error instanceof WrongUsage) throw error;
    throw new WrongUsage((error as Error).message.split(/(?<=[^.])\. /)[0] ?? "");
  }
}

async function run(options: ReturnType<typeof optionsOf>, folder: string, version: string): Promise<Outcome> {
  const paths = options.paths.map((path) => resolve(folder, path));
  const repository = new Repository(folder, paths);
  const missing = options.paths.find((_, index) => !existsSync(paths[index] ?? ""));
  if (missing !== undefined) throw new UserError(`there is no file or folder ${missing}`);
  const inputs = discover(paths, repository);
  if (inputs.length === 0)
    throw new UserError(`nothing to judge in ${options.paths.join(", ")}`, {
      hint: "compose files, Caddyfiles, caddy.json, policy.hujson, config.toml, plans and state exports are read",
    });
  const { stacks, gaps, problems, files } = readInputs(inputs, repository, options.profile ?? []);
  const policies = new PackRun(allPolicies, folder);
  const configFile = options["policy-config"];
  policies.configure(configOf(configFile === undefined ? undefined : resolve(folder, configFile)));
  const textOf = (file: string): string => repository.read(repository.absolute(file)) ?? "";
  const judged = await judge(stacks, policies, textOf);
  const all = [...judged.findings, ...expiredExceptions(policies)];
  const closed = [...repository.unreadable].map((file) => ({
    at: { file, line: 1 },
    because: "may not be read",
  }));
  const outside = [...repository.outside].map((file) => ({
    at: { file, line: 1 },
    because: "is outside of the repository, and not read",
  }));
  const own = [...gaps, ...closed, ...outside].map((gap) => ({ ...gap, where: "", policies: [] }));
  const unique = new Map(own.map((gap) => [JSON.stringify(gap), gap]));
  const notJudged = [...unique.values(), ...judged.notJudged];

  const baselineFile = options.baseline === undefined ? undefined : resolve(folder, options.baseline);
  if (baselineFile !== undefined && options["write-baseline"]) writeBaseline(baselineFile, all);
  const baseline = baselineFile === undefined ? undefined : readBaseline(baselineFile);
  const findings = all.map((finding) => ({ ...finding, isKnown: baseline?.knows(finding) ?? false }));
  const result: Result = { findings, notJudged, problems, files, mended: baseline?.left };
  const stdout = options.json
    ? toJson(result)
    : options.sarif
      ? toSarif(result, allPolicies, version)
      : toText(result);
  return { stdout, stderr: "", exitCode: exitCodeOf(result) };
}

/**
 * Whether a host's provider lets SMTP out is written in no file. In a stack of tailwart's it counts
 * as blocked until somebody says otherwise; of anybody's it is not known, so it is not asked.
 */
const DEFAULTS: Readonly<Record<string, Record<string, unknown>>> = {
  "no-direct-smtp-egress": { egress: "open" },
};

/** Reads a policy config as Pulumi does: a level, or an object with level and settings. */
function configOf(path: string | undefined): Map<string, PolicyConfig> {
  const document: unknown = path === undefined ? {} : readJson(path);
  if (!isRecord(document)) throw new UserError(`${path} holds no JSON object`);
  const { all } = document;
  const levelOfAll = isRecord(all) ? all["enforcementLevel"] : all;
  const levels = new Map(
    allPolicies.map(({ id, enforcementLevel }) => [id, (levelOfAll ?? enforcementLevel) as EnforcementLevel]),
  );
  // What is said of all holds for each that nothing else is said of.
  const unnamed = levelOfAll === undefined ? {} : Object.fromEntries(allPolicies.map(({ id }) => [id, {}]));
  const entries = Object.entries({ ...unnamed, ...DEFAULTS, ...document }).map(([id, entry]) => {
    const { enforcementLevel, ...properties } = isRecord(entry) ? entry : { enforcementLevel: entry };
    const level = (enforcementLevel ?? levels.get(id) ?? "mandatory") as EnforcementLevel;
    if (!["advisory", "mandatory", "remediate", "disabled"].includes(level))
      throw new UserError(`${path}: ${id} accepts advisory, mandatory or disabled as its level`);
    return [id, { enforcementLevel: level, properties }] as const;
  });
  return new Map(entries);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UserError(isMissing ? `there is no file ${path}` : `${path} is no JSON`);
  }
}
