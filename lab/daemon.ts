import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDetached } from "./detached.ts";
import type { Machine } from "./topology.ts";
import { inMachine } from "./machine.ts";
import { childrenOf, isAlive, processOf, signal, type ProcessId } from "./processes.ts";
import { inNetns, SYSTEM_ENV, until } from "./run.ts";

/** By what a daemon is found again. Its name is unique where it runs. */
export type DaemonId = { name: string } & (
  | { machine: Machine }
  /** Beside the machines: known by files of this folder, its log among them. */
  | { stateDir: string; netns?: string | undefined }
);

/** A process that goes on when the command that started it has ended. */
export type Daemon = DaemonId & {
  /** It must stay in the foreground. */
  command: readonly string[];
  env?: Record<string, string>;
};

/**
 * Starts a daemon, or finds it running, and waits until it is ready. Fails early, with its last
 * words, when it ends. A machine's output is appended to state/LAB/log/MACHINE-NAME.log.
 *
 * @param timeout milliseconds
 * @returns whether it had to be started
 */
export async function startDaemon(
  daemon: Daemon,
  isReady: () => Promise<boolean>,
  timeout = 30_000,
): Promise<boolean> {
  const [name, running] = [nameOf(daemon), daemonProcess(daemon)];
  const logDir = "machine" in daemon ? daemon.machine.logDir : daemon.stateDir;
  const logFile = join(logDir, `${name}.log`);
  const lastLines = () => readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-12).join("\n");
  if (!running) {
    mkdirSync(logDir, { recursive: true });
    const command =
      "machine" in daemon ? inMachine(daemon.machine, daemon.command) : inNetns(daemon.netns, daemon.command);
    const log = openSync(logFile, "a", 0o600);
    const id = await startDetached(command, { ...SYSTEM_ENV, ...daemon.env }, log);
    if (!id) throw new Error(`${name} ended at once\n${lastLines()}`);
    writeFileSync(recordFile(daemon), JSON.stringify(id));
  }
  const ready = async () => {
    if (await isReady()) return true;
    if (daemonProcess(daemon)) return false;
    throw new Error(`${name} ended; it last wrote:\n${lastLines()}`);
  };
  await until(`${name} is ready`, ready, timeout, { detail: lastLines });
  return !running;
}

/**
 * A daemon's process, or in a machine that of its nsenter, which waits for it; undefined when it
 * does not run.
 */
export function daemonProcess(daemon: DaemonId): ProcessId | undefined {
  try {
    const id = JSON.parse(readFileSync(recordFile(daemon), "utf8")) as ProcessId;
    return isAlive(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Sends a signal to a daemon that runs, and waits until it has ended. */
export async function stopDaemon(
  daemon: DaemonId,
  { signalName = "SIGTERM", timeout = 20_000 }: { signalName?: NodeJS.Signals; timeout?: number } = {},
): Promise<void> {
  const id = daemonProcess(daemon);
  if (id) {
    signalInside(daemon, id, signalName);
    await until(`${nameOf(daemon)} has ended after ${signalName}`, () => !isAlive(id), timeout);
  }
  rmSync(recordFile(daemon), { force: true });
}

function signalInside(daemon: DaemonId, id: ProcessId, signalName: NodeJS.Signals): void {
  const processes = "machine" in daemon ? childrenOf(id.pid).map(processOf) : [id];
  for (const each of processes) if (each) signal(each, signalName);
}

const nameOf = (daemon: DaemonId): string =>
  "machine" in daemon ? `${daemon.machine.name}-${daemon.name}` : daemon.name;

const recordFile = (daemon: DaemonId): string =>
  join("machine" in daemon ? daemon.machine.dir : daemon.stateDir, `${daemon.name}.process`);
