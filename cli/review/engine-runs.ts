/** What the engine is asked for a report. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { runCommand } from "../../lib/run-command.ts";
import { throwIfStopped } from "../parts/held-signals.ts";
import { Interrupted } from "../parts/progress.ts";
import { POLICY_PACK } from "../parts/pulumi-cli.ts";
import { type EngineEvent, parseEvents } from "./events.ts";

const SECONDS = 900;

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
  /** The pack that judges it. Default: this version's */
  readonly policyPack?: string;
  readonly env: NodeJS.ProcessEnv;
  /** Put in front of the command; enters a lab's network. */
  readonly before: readonly string[];
  /** Why nothing can be previewed; it goes into the report. */
  readonly broken?: EngineRun;
  readonly remove: () => Promise<void>;
}

/** The engine's answer. */
export interface EngineRun {
  readonly code: number;
  readonly events: readonly EngineEvent[];
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Previews the stack with the policy pack. The engine's own events tell more than `preview --json`,
 * which drops those of policies.
 *
 * @param plan file for what is planned, where somebody wants it; a preview that fails writes none
 */
export async function preview(opened: OpenStack, policyConfig?: string, plan?: string): Promise<EngineRun> {
  if (opened.broken) return opened.broken;
  const keep = plan === undefined ? [] : ["--save-plan", plan];
  return logged(opened, ["preview", ...opened.flags, ...keep, ...packFlags(opened, policyConfig)]);
}

/** What runs otherwise than the state says; asks the hosts. */
export async function refresh(opened: OpenStack): Promise<EngineRun> {
  return logged(opened, ["refresh", ...opened.flags, "--preview-only", "--expect-no-changes"]);
}

/**
 * Has the policy pack judge what is deployed; without program and provider, so that nothing is
 * unknown.
 */
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

function packFlags({ policyFlags, policyPack = POLICY_PACK }: OpenStack, policyConfig?: string): string[] {
  const config = policyConfig === undefined ? policyFlags : ["--policy-pack-config", policyConfig];
  return ["--policy-pack", policyPack, ...config];
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
export async function run(opened: OpenStack, args: string[], cwd: string): Promise<EngineRun> {
  const argv = [...opened.before, "pulumi", "--non-interactive", "--color", "never", ...args];
  const env = {
    ...opened.env,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // `--event-log` is hidden without it.
    PULUMI_DEBUG_COMMANDS: "true",
  };
  const [command = "", ...rest] = argv;
  // One that came between two commands reached none of them.
  throwIfStopped();
  const limits = { deadline: SECONDS * 1000, signal: "SIGINT" as const, passSignals: true };
  const done = await runCommand(command, rest, { cwd, env, ...limits });
  if (done.interruptedBy) throw new Interrupted(`pulumi ${args[0]}`, done.interruptedBy);
  if (done.status === 127)
    throw new UserError("pulumi is not on PATH", { hint: "https://www.pulumi.com/docs/install/" });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr, events: [] };
}
