import { setTimeout as sleep } from "node:timers/promises";

import { runCommand } from "../lib/run-command.ts";

export interface RunOptions {
  /** Given to the program's standard input. Secrets go this way, never in argv. */
  stdin?: string;
  /** Milliseconds. Default: 60 000 */
  timeout?: number;
  /** The whole environment. Default: SYSTEM_ENV */
  env?: NodeJS.ProcessEnv;
  /** Return on a non-zero exit code, too, instead of throwing. Default: false */
  allowFailure?: boolean;
}

export interface RunResult {
  /** 124 after a timeout, as timeout(1) has it. */
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * The environment of everything in the lab: nothing of the caller's, so no credential of hers gets
 * into it.
 */
export const SYSTEM_ENV: NodeJS.ProcessEnv = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/", // nobody's
  LANG: "C.UTF-8",
  // Node gives a program sockets for pipes, and a bash on the first level whose input is a socket
  // takes itself for rshd's and reads ~/.bashrc (Debian's bash, shell.c run_startup_files). Seen:
  // a pyenv in it that waited for a lock, a minute a call.
  SHLVL: "1",
};

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws Error with the command's last words, on a non-zero exit code or after the timeout (then
 *   its whole process group is killed)
 * @example (await run("ip", ["-json", "link"])).stdout
 */
export async function run(
  program: string,
  args: readonly string[],
  { stdin, timeout = 60_000, env = SYSTEM_ENV, allowFailure = false }: RunOptions = {},
): Promise<RunResult> {
  const done = await runCommand(program, args, { stdin, deadline: timeout, env, wholeGroup: true });
  const { status: code, stdout, stderr, endedBy, unstarted } = done;
  if (unstarted) throw new Error(`${program} cannot be run: ${unstarted.message}`);
  if (code === 0 || allowFailure) return { code, stdout, stderr };
  const why = code === 124 ? `took longer than ${timeout / 1000} s` : `ended with ${endedBy ?? code}`;
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
  throw new Error(`${[program, ...args].join(" ")} ${why}${said && `:\n${said}`}`);
}

/**
 * Runs a program in a network namespace, with the caller's own file system. nsenter, unlike
 * `ip netns exec`, leaves the mounts alone, so that the cgroups stay in sight.
 *
 * @example await runInNetns("lab-outside", ["nc", "-z", "-w", "3", "203.0.113.20", "25"])
 */
export function runInNetns(
  netns: string | undefined,
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [program, ...args] = inNetns(netns, command);
  return run(program, args, options);
}

/** The command line of that; without a namespace the command as it is. */
export function inNetns(netns: string | undefined, command: readonly string[]): [string, ...string[]] {
  const [program = "", ...args] = command;
  return netns ? ["nsenter", `--net=/run/netns/${netns}`, "--", program, ...args] : [program, ...args];
}

/** Whether a TCP port takes connections from within a network namespace. */
export async function isOpen(netns: string, address: string, port: number | string): Promise<boolean> {
  const probe = ["bash", "-c", `: < /dev/tcp/${address}/${port}`];
  return (await runInNetns(netns, probe, { allowFailure: true })).code === 0;
}

/**
 * Waits until a condition holds.
 *
 * @param what names the condition in the error, such as "kvm: dockerd answers"
 * @param timeout milliseconds
 * @param detail adds to the error's text, such as the last lines of a log
 */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeout: number,
  { every = 50, detail }: { every?: number; detail?: () => string | Promise<string> } = {},
): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > end) {
      const more = detail ? await detail() : "";
      throw new Error(`${what}: not within ${timeout / 1000} s${more && `\n${more}`}`);
    }
    await sleep(every);
  }
}
