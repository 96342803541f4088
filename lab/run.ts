import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { sendSignal } from "./processes.ts";

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
export function run(
  program: string,
  args: readonly string[],
  { stdin = "", timeout = 60_000, env = SYSTEM_ENV, allowFailure = false }: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    // Detached: its own process group, so that a timeout ends its children, too.
    const child = spawn(program, args, { detached: true, env, stdio: ["pipe", "pipe", "pipe"] });
    const { pid } = child;
    if (pid !== undefined) track(pid);
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (pid !== undefined) sendSignal(-pid, "SIGKILL");
    }, timeout);
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {}).end(stdin);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${program} cannot be run: ${error.message}`));
    });
    child.once("close", (exitCode, signal) => {
      clearTimeout(timer);
      if (pid !== undefined) running.delete(pid);
      const code = timedOut ? 124 : (exitCode ?? 128);
      if (code === 0 || allowFailure) return resolve({ code, stdout, stderr });
      const why = timedOut ? `took longer than ${timeout / 1000} s` : `ended with ${signal ?? code}`;
      const said = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
      reject(new Error(`${[program, ...args].join(" ")} ${why}${said && `:\n${said}`}`));
    });
  });
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

/** Process groups that Ctrl-C on the terminal does not reach by itself. */
const running = new Set<number>();

function track(pid: number): void {
  running.add(pid);
  if (watching) return;
  watching = true;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => {
      for (const each of running) sendSignal(-each, "SIGKILL");
      // Ends as if nobody had listened, unless somebody else does.
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    });
}
let watching = false;
