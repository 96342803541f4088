import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";

/** How one lab's stack is reached: Pulumi's own state, config file and environment, none of it the user's. */
export interface LabStack {
  /** The lab's name, and the stack's. */
  name: string;
  /** Folder of Pulumi's file backend. */
  backend: string;
  configFile: string;
  passphraseFile: string;
  /** Network namespace that the engine runs in; it reaches the adapter and nothing else. */
  netns: string;
  /** PATH, PULUMI_HOME and what else the engine needs. */
  env: Record<string, string>;
}

/** The policy pack as an executable: the engine starts it without a language host (engine ≥ 3.255). */
export const POLICY_PACK = join(import.meta.dirname, "..", "policies", "tailwart-policies");
/** The project's folder. */
export const PROJECT = join(import.meta.dirname, "..");

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

/** Runs the Pulumi CLI on a lab's stack. Never throws for an exit code: the caller decides what it means. */
export function pulumi(stack: LabStack, args: string[], options: PulumiOptions = {}): Promise<PulumiRun> {
  const { show = false, input = "", inNamespace = true, timeout = 600, cwd = PROJECT } = options;
  const env = {
    ...process.env,
    ...stack.env,
    PULUMI_BACKEND_URL: `file://${stack.backend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: stack.passphraseFile,
    PULUMI_SKIP_UPDATE_CHECK: "1",
    ...options.env,
  };
  const netns = `/run/netns/${stack.netns}`;
  if (inNamespace && !existsSync(netns)) {
    throw new UserError(`the lab "${stack.name}" is not running: ${netns} does not exist`, {
      hint: `start it with: npm run up${stack.name === "lab" ? "" : ` -- --name ${stack.name}`}`,
    });
  }
  const command = ["pulumi", "--non-interactive", ...args];
  const argv = inNamespace ? ["nsenter", `--net=${netns}`, ...command] : command;
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] as string, argv.slice(1), { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGINT"), timeout * 1000);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (show) process.stdout.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      if (show) process.stderr.write(chunk);
    });
    child.stdin.on("error", () => undefined);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, stdout, stderr });
    });
    child.stdin.end(input);
  });
}

/** Runs the CLI and turns a failure into words. @throws UserError with the tail of what it printed */
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
