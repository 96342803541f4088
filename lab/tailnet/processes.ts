import { execFile, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A process that goes on without the one that started it, known by files in a folder. */
export interface Daemon {
  /** Names `NAME.pid` and `NAME.log`. */
  name: string;
  stateDir: string;
  /** The network namespace's name below /var/run/netns. Default: the caller's own */
  netns?: string;
  command: string[];
  env?: Record<string, string>;
}

/** How long a stopped process may take to end by itself. Milliseconds. */
const STOP_GRACE = 10_000;

/** The command, in a network namespace where one is given. nsenter, unlike `ip netns exec`, leaves the mounts alone. */
export function inNetns(netns: string | undefined, command: readonly string[]): [string, ...string[]] {
  const [program = "", ...args] = command;
  return netns ? ["nsenter", `--net=/var/run/netns/${netns}`, "--", program, ...args] : [program, ...args];
}

/** Starts a daemon unless it runs already, and returns its process id. */
export async function startDaemon(daemon: Daemon): Promise<number> {
  const running = await daemonPid(daemon);
  if (running) return running;
  const log = openSync(logFile(daemon), "a", 0o600);
  try {
    const [program, ...args] = inNetns(daemon.netns, daemon.command);
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...daemon.env },
    });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    const pid = child.pid ?? 0;
    await writeFile(pidFile(daemon), `${pid} ${await startTime(pid)}\n`);
    return pid;
  } finally {
    closeSync(log);
  }
}

/** The process id of a daemon that runs, or undefined. */
export async function daemonPid(daemon: Pick<Daemon, "name" | "stateDir">): Promise<number | undefined> {
  const text = await readFile(pidFile(daemon), "utf8").catch(() => "");
  const [pid, started] = text.trim().split(" ");
  // A number alone might be another process by now.
  return pid && started && (await startTime(Number(pid))) === started ? Number(pid) : undefined;
}

/** Ends a daemon: SIGTERM, then SIGKILL. Nothing happens when it does not run. */
export async function stopDaemon(daemon: Pick<Daemon, "name" | "stateDir">): Promise<void> {
  const pid = await daemonPid(daemon);
  if (pid) {
    process.kill(pid, "SIGTERM");
    const ended = await until(async () => !(await daemonPid(daemon)), STOP_GRACE).catch(() => false);
    if (ended === false) process.kill(pid, "SIGKILL");
  }
  await rm(pidFile(daemon), { force: true });
}

/** The last lines of a daemon's log, for an error message. */
export async function lastLines(daemon: Pick<Daemon, "name" | "stateDir">, count = 15): Promise<string> {
  const text = await readFile(logFile(daemon), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

/** Waits until the condition holds. Throws when it does not within the time (milliseconds). */
export async function until(condition: () => Promise<boolean>, time: number, every = 100): Promise<true> {
  const end = Date.now() + time;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > end) throw new Error(`not within ${time / 1000} s`);
    await sleep(every);
  }
}

/** Runs a command to its end and returns what it printed. */
export async function output(
  netns: string | undefined,
  command: readonly string[],
  stdin = "",
): Promise<string> {
  const [program, ...args] = inNetns(netns, command);
  const running = run(program, args, { timeout: 60_000 });
  running.child.stdin?.end(stdin);
  return (await running).stdout;
}

function pidFile({ stateDir, name }: Pick<Daemon, "name" | "stateDir">): string {
  return join(stateDir, `${name}.pid`);
}

function logFile({ stateDir, name }: Pick<Daemon, "name" | "stateDir">): string {
  return join(stateDir, `${name}.log`);
}

/** When a process was started, in clock ticks since boot: with its id it names one process. Empty for none or a zombie. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "" : (fields[19] ?? "");
}
