import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDetached } from "./detached.ts";
import type { Layout, Machine } from "./topology.ts";
import { inMachine } from "./machine.ts";
import { childrenOf, isAlive, processOf, signal, type ProcessId } from "./processes.ts";
import { SYSTEM_ENV, until } from "./run.ts";

/** A process of a machine that goes on when the command that started it has ended. */
export interface Daemon {
  machine: Machine;
  /** Unique in the machine. */
  name: string;
  /** It must stay in the foreground. */
  command: readonly string[];
  env?: Record<string, string>;
}

export type DaemonId = Pick<Daemon, "machine" | "name">;

/**
 * Starts a daemon, or finds it running. Its output is appended to state/LAB/log/MACHINE-NAME.log.
 * Returns whether it had to be started.
 */
export async function startDaemon(layout: Layout, daemon: Daemon): Promise<boolean> {
  if (daemonProcess(daemon)) return false;
  const command = inMachine(daemon.machine, daemon.command);
  mkdirSync(layout.logDir, { recursive: true });
  const log = openSync(logFile(layout, daemon), "a", 0o600);
  const id = await startDetached(command, { ...SYSTEM_ENV, ...daemon.env }, log);
  if (!id) throw new Error(`${nameOf(daemon)} ended at once\n${lastLines(layout, daemon)}`);
  writeFileSync(recordFile(daemon), JSON.stringify(id));
  return true;
}

/** Waits until a started daemon is ready; fails early, with its last words, when it ends. */
export async function waitForDaemon(
  layout: Layout,
  daemon: DaemonId,
  isReady: () => Promise<boolean>,
  timeout = 30_000,
): Promise<void> {
  const detail = () => lastLines(layout, daemon);
  const ready = async () => {
    if (await isReady()) return true;
    if (daemonProcess(daemon)) return false;
    throw new Error(`${nameOf(daemon)} ended; it last wrote:\n${detail()}`);
  };
  await until(`${nameOf(daemon)} is ready`, ready, timeout, { detail });
}

/** A daemon's nsenter, which waits for its child, the daemon; undefined when it does not run. */
export function daemonProcess(daemon: DaemonId): ProcessId | undefined {
  try {
    const id = JSON.parse(readFileSync(recordFile(daemon), "utf8")) as ProcessId;
    return isAlive(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Sends a signal to a daemon. @throws Error where it does not run */
export function signalDaemon(daemon: DaemonId, signalName: NodeJS.Signals): void {
  const id = daemonProcess(daemon);
  if (!id) throw new Error(`${nameOf(daemon)} does not run`);
  signalInside(id, signalName);
}

/** Sends a signal to a daemon that runs, and waits until it has ended. */
export async function stopDaemon(
  daemon: DaemonId,
  { signalName = "SIGTERM", timeout = 20_000 }: { signalName?: NodeJS.Signals; timeout?: number } = {},
): Promise<void> {
  const id = daemonProcess(daemon);
  if (id) {
    signalInside(id, signalName);
    await until(`${nameOf(daemon)} has ended after ${signalName}`, () => !isAlive(id), timeout);
  }
  rmSync(recordFile(daemon), { force: true });
}

function signalInside(id: ProcessId, signalName: NodeJS.Signals): void {
  for (const child of childrenOf(id.pid).map(processOf)) if (child) signal(child, signalName);
}

function lastLines(layout: Layout, daemon: DaemonId, count = 12): string {
  const text = readFileSync(logFile(layout, daemon), "utf8");
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function logFile(layout: Layout, daemon: DaemonId): string {
  return join(layout.logDir, `${nameOf(daemon)}.log`);
}

function nameOf({ machine, name }: DaemonId): string {
  return `${machine.name}-${name}`;
}

function recordFile({ machine, name }: DaemonId): string {
  return join(machine.dir, `${name}.process`);
}
