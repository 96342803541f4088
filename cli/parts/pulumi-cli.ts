import { existsSync } from "node:fs";
import { join } from "node:path";

import { naming } from "../../lab/topology.ts";
import { UserError } from "../../lib/errors.ts";
import { runCommand } from "../../lib/run-command.ts";
import { Interrupted } from "./progress.ts";

/**
 * How one lab's stack is reached: Pulumi's own state, config file and environment, none of it the
 * user's.
 */
export interface LabStack {
  /** The lab's name, and the stack's. */
  name: string;
  /** Folder of Pulumi's file backend. */
  backend: string;
  configFile: string;
  passphraseFile: string;
  /** Config of the policy pack. */
  policyConfigFile: string;
  /** Network namespace that the engine runs in; it reaches the adapter and nothing else. */
  netns: string;
  /** The operator's own passwd and resolv.conf (lab/operator.ts). */
  etc: string;
  /** PATH, PULUMI_HOME and what else the engine needs. */
  env: Record<string, string>;
}

/**
 * The policy pack as an executable: the engine starts it without a language host (engine ≥ 3.255).
 */
export const POLICY_PACK = join(import.meta.dirname, "..", "..", "policies", "tailwart-policies");
/** The project's folder. */
export const PROJECT = join(import.meta.dirname, "..", "..");

export interface PulumiRun {
  code: number;
  stdout: string;
  stderr: string;
}

export interface PulumiOptions {
  /** Print while it runs. */
  show?: boolean;
  input?: string;
  env?: Record<string, string>;
  /** Run in the lab's operator namespace. @default true */
  inNamespace?: boolean;
  /** Seconds. @default 600 */
  timeout?: number;
  cwd?: string;
}

/** The environment in which the Pulumi CLI finds a lab's stack and can open its secrets. */
export const labEnvironment = (stack: LabStack): NodeJS.ProcessEnv => ({
  ...process.env,
  ...stack.env,
  PULUMI_BACKEND_URL: `file://${stack.backend}`,
  PULUMI_CONFIG_PASSPHRASE_FILE: stack.passphraseFile,
  PULUMI_SKIP_UPDATE_CHECK: "1",
});

/**
 * Put in front of a command, it runs as the lab's operator: in her network namespace, and with her
 * ~/.ssh, since ssh takes the home folder from /etc/passwd. Each is the next one's exec, so that
 * signals reach the command itself.
 */
export const enter = ({ netns, etc }: Pick<LabStack, "netns" | "etc">): string[] => [
  ...["nsenter", `--net=/run/netns/${netns}`, "unshare", "--mount"],
  ...["sh", "-c", OWN_ETC, etc],
];

const OWN_ETC =
  'for file in passwd resolv.conf; do mount --bind "$0/$file" "/etc/$file" || exit; done; exec "$@"';

/**
 * Runs the Pulumi CLI on a lab's stack. Never throws for an exit code: the caller decides what it
 * means.
 *
 * @throws Interrupted after Ctrl-C and the like, when the engine has ended what was under way and
 *   unlocked the stack
 */
export async function pulumi(
  stack: LabStack,
  args: string[],
  options: PulumiOptions = {},
): Promise<PulumiRun> {
  const { show = false, input = "", inNamespace = true, timeout = 600, cwd = PROJECT } = options;
  const env = { ...labEnvironment(stack), ...options.env };
  const netns = `/run/netns/${stack.netns}`;
  if (inNamespace && !existsSync(netns)) {
    throw new UserError(`the lab "${stack.name}" is not running: ${netns} does not exist`, {
      hint: `start it with: npm run up${naming(stack.name)}`,
    });
  }
  const command = ["pulumi", "--non-interactive", ...args];
  const argv = inNamespace ? [...enter(stack), ...command] : command;
  // SIGINT: the engine ends what is under way and unlocks the stack.
  const limits = { stdin: input, deadline: timeout * 1000, signal: "SIGINT" as const, passSignals: true };
  const run = await runCommand(argv[0] as string, argv.slice(1), { cwd, env, show, ...limits });
  if (run.interruptedBy) throw new Interrupted(`pulumi ${args[0]}`, run.interruptedBy);
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

/**
 * Runs the CLI and turns a failure into words. @throws UserError with the tail of what it printed
 */
export async function mustPulumi(
  stack: LabStack,
  args: string[],
  options: PulumiOptions = {},
): Promise<PulumiRun> {
  const run = await pulumi(stack, args, options);
  if (run.code !== 0) {
    const said = options.show
      ? ""
      : `\n${`${run.stdout}${run.stderr}`.trim().split("\n").slice(-25).join("\n")}`;
    throw new UserError(`pulumi ${args[0]} failed (exit code ${run.code})${said}`);
  }
  return run;
}
