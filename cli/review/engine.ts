import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse } from "yaml";

import { secretSchema } from "../../config/schema/secrets.ts";
import { isSecure, placeholderOf } from "../../config/placeholder.ts";
import { UserError } from "../../lib/errors.ts";
import { runCommand } from "../../lib/run-command.ts";
import { ensure } from "../../tools/ensure.mjs";
import { onPath } from "../../tools/versions.mjs";
import { openRunningLab } from "../parts/open-lab.ts";
import { stackFlags } from "../parts/lab-config.ts";
import { Interrupted } from "../parts/progress.ts";
import { enter, labEnvironment, POLICY_PACK, PROJECT } from "../parts/pulumi-cli.ts";
import { type EngineEvent, parseEvents } from "./events.ts";

/** The engine's answer. */
export interface EngineRun {
  readonly code: number;
  readonly events: readonly EngineEvent[];
  readonly stdout: string;
  readonly stderr: string;
}

/** A stack that can be previewed or looked at: where it is, and what the engine needs for it. */
export interface OpenStack {
  readonly stack: string;
  /** The program's folder. */
  readonly project: string;
  /** The stack's config file as it lies in the repository, where it does. */
  readonly configFile?: string;
  /** Flags of every command on the stack. */
  readonly flags: readonly string[];
  /** Flags of every command that takes the policy pack, without the pack itself. */
  readonly policyFlags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Put in front of the command; enters a lab's network. */
  readonly before: readonly string[];
  /** Why nothing can be previewed; it goes into the report. */
  readonly broken?: EngineRun;
  readonly remove: () => Promise<void>;
}

const SECONDS = 900;
/** A provider refuses to start without a credential; a preview asks nobody with it. */
const NO_CREDENTIAL = "not-needed-for-a-preview";

/** Opens a lab's stack. */
export async function openLabStack(name: string): Promise<OpenStack> {
  const { stack } = await openRunningLab(name);
  return {
    stack: name,
    project: PROJECT,
    flags: stackFlags(stack),
    policyFlags: ["--policy-pack-config", stack.policyConfigFile],
    env: labEnvironment(stack),
    before: enter(stack),
    remove: async () => undefined,
  };
}

/** Which stack of which program. */
export interface StackSource {
  readonly stack: string;
  /** The program's folder. */
  readonly project: string;
  /** The stack's config file, where it has one. */
  readonly configFile?: string | undefined;
}

/** Opens a stack in the user's own backend, with the user's own Pulumi, login and credentials; without a Pulumi, with the toolchain's. */
export async function openOwnStack({ stack, project, configFile }: StackSource): Promise<OpenStack> {
  const env = onPath("pulumi") ? process.env : { ...process.env, ...(await engineTools()).env };
  return {
    stack,
    project,
    ...(configFile !== undefined && { configFile }),
    flags: ["--stack", stack, ...(configFile === undefined ? [] : ["--config-file", configFile])],
    policyFlags: [],
    env,
    before: [],
    remove: async () => undefined,
  };
}

/** Whether a config file belongs to a stack that has been made in some backend: then it holds secrets. */
export function isDeployable(configText: string): boolean {
  const { encryptionsalt, secretsprovider, encryptedkey, config } = read(configText);
  const secure = Object.values(config).some(isSecure);
  return [encryptionsalt, secretsprovider, encryptedkey].some((key) => key !== undefined) || secure;
}

/**
 * Opens a stack on a file backend of its own in a temporary folder, which nothing else knows of.
 *
 * @param state the stack's state, as `pulumi stack export` has written it, and then secrets are opened by the user's own passphrase
 *   (PULUMI_CONFIG_PASSPHRASE or _FILE). Without it the stack is empty, and each secret of the config a dummy: no credential is needed
 */
export async function openTemporaryStack(source: StackSource, state?: string): Promise<OpenStack> {
  const { stack, project, configFile } = source;
  const tools = await engineTools();
  const folder = await mkdtemp(join(tmpdir(), "tailwart-review-"));
  const config = join(folder, `Pulumi.${stack}.yaml`);
  await mkdir(join(folder, "state"), { mode: 0o700 });
  const { name } = parse(await readFile(join(project, "Pulumi.yaml"), "utf8")) as { name: string };
  await writeFile(join(folder, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\n`);
  if (configFile !== undefined) await copyFile(configFile, config);
  const { PULUMI_CONFIG_PASSPHRASE_FILE: _, ...noFile } = process.env;
  const env = {
    TAILSCALE_API_KEY: NO_CREDENTIAL,
    ...(state === undefined ? { ...noFile, PULUMI_CONFIG_PASSPHRASE: "review" } : process.env),
    ...tools.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  };
  const opened: OpenStack = {
    stack,
    project,
    ...(configFile !== undefined && { configFile }),
    flags: ["--stack", stack, "--config-file", config],
    policyFlags: [],
    env,
    before: [],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  const steps = [
    ["stack", "init", stack],
    ...(state === undefined
      ? dummySecrets(stack, name, config)
      : [["stack", "import", "--stack", stack, "--file", state]]),
  ];
  for (const step of steps) {
    const done = await run(opened, step, folder);
    if (done.code !== 0) return { ...opened, broken: done };
  }
  return opened;
}

/** The command that gives each secret of tailwart's config, which a public file cannot hold, a value that opens nothing. */
function dummySecrets(stack: string, project: string, file: string): string[][] {
  if (project !== "tailwart" || !existsSync(file)) return [];
  const { config } = read(readFileSync(file, "utf8"));
  const relay = config["tailwart:relay"] as { username?: unknown } | undefined;
  const wanted = Object.keys(secretSchema.shape).filter(
    (key) => key !== "relayPassword" || relay?.username !== undefined,
  );
  const missing = wanted.filter((key) => !(`tailwart:${key}` in config));
  const pairs = missing
    .map((key) => `tailwart:${key}`)
    .flatMap((key) => ["--secret", `${key}=${placeholderOf(key, config)}`]);
  return pairs.length ? [["config", "set-all", "--stack", stack, ...pairs]] : [];
}

const engineTools = () => ensure(["engine"], { quiet: true });

interface StackFile {
  readonly encryptionsalt?: string;
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly config: Readonly<Record<string, unknown>>;
}

function read(text: string): StackFile {
  const { config, ...rest } = (parse(text) ?? {}) as Partial<StackFile>;
  return { ...rest, config: config ?? {} };
}

/** Previews the stack with the policy pack. The engine's own events tell more than `preview --json`, which drops those of policies. */
export async function preview(opened: OpenStack, policyConfig?: string): Promise<EngineRun> {
  if (opened.broken) return opened.broken;
  return logged(opened, ["preview", ...opened.flags, ...packFlags(opened, policyConfig)]);
}

/** What runs otherwise than the state says; asks the hosts. */
export async function refresh(opened: OpenStack): Promise<EngineRun> {
  return logged(opened, ["refresh", ...opened.flags, "--preview-only", "--expect-no-changes"]);
}

/** Has the policy pack judge what is deployed; without program and provider, so that nothing is unknown. */
export async function analyze(opened: OpenStack, policyConfig?: string, file?: string): Promise<EngineRun> {
  const what = file === undefined ? ["--stack", opened.stack] : ["--file", file];
  const args = ["policy", "analyze", ...what, ...packFlags(opened, policyConfig), "--json"];
  const done = await run(opened, args, opened.project);
  return { ...done, events: parseEvents(done.stdout) };
}

/** The stack's state as JSON; its secrets stay closed. @throws UserError with the engine's words */
export async function exportState(opened: OpenStack): Promise<string> {
  const done = await run(opened, ["stack", "export", "--stack", opened.stack], opened.project);
  if (done.code !== 0)
    throw new UserError(`the state of ${opened.stack} cannot be read: ${done.stderr.trim()}`);
  return done.stdout;
}

/** No stack at all: for a state that lies in a file. */
export async function openNothing(project: string): Promise<OpenStack> {
  const tools = await engineTools();
  const env = { ...process.env, ...tools.env };
  const remove = async () => undefined;
  return { stack: "", project, flags: [], policyFlags: [], env, before: [], remove };
}

function packFlags({ policyFlags }: OpenStack, policyConfig?: string): string[] {
  const config = policyConfig === undefined ? policyFlags : ["--policy-pack-config", policyConfig];
  return ["--policy-pack", POLICY_PACK, ...config];
}

async function logged(opened: OpenStack, args: string[]): Promise<EngineRun> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-events-"));
  try {
    const log = join(folder, "events.jsonl");
    const done = await run(opened, [...args, "--event-log", log], opened.project);
    return { ...done, events: existsSync(log) ? parseEvents(await readFile(log, "utf8")) : [] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws UserError where there is no Pulumi, Interrupted after Ctrl-C and the like */
async function run(opened: OpenStack, args: string[], cwd: string): Promise<EngineRun> {
  const argv = [...opened.before, "pulumi", "--non-interactive", "--color", "never", ...args];
  const env = {
    ...opened.env,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // `--event-log` is hidden without it.
    PULUMI_DEBUG_COMMANDS: "true",
  };
  const [command = "", ...rest] = argv;
  const limits = { deadline: SECONDS * 1000, signal: "SIGINT" as const, passSignals: true };
  const done = await runCommand(command, rest, { cwd, env, ...limits });
  if (done.interruptedBy) throw new Interrupted(`pulumi ${args[0]}`, done.interruptedBy);
  if (done.status === 127)
    throw new UserError("pulumi is not on PATH", { hint: "https://www.pulumi.com/docs/install/" });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr, events: [] };
}
