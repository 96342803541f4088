import { openSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startDetached } from "../detached.ts";
import { isAlive, signal, type ProcessId } from "../processes.ts";
import { inNetns, SYSTEM_ENV, until } from "../run.ts";

/**
 * A process that goes on without the one that started it, known by files in a folder:
 * `NAME.process` and `NAME.log`.
 */
export interface Daemon {
  name: string;
  stateDir: string;
}

/** How long a stopped process may take to end by itself. Milliseconds. */
const STOP_GRACE = 10_000;

/** Starts a daemon unless it runs already. */
export async function startDaemon(
  daemon: Daemon,
  netns: string | undefined,
  command: readonly string[],
): Promise<void> {
  if (await runningDaemon(daemon)) return;
  const log = openSync(logFile(daemon), "a", 0o600);
  const id = await startDetached(inNetns(netns, command), SYSTEM_ENV, log);
  if (!id) throw new Error(`${daemon.name} ended at once; it last wrote:\n${await lastLines(daemon)}`);
  await writeFile(recordFile(daemon), JSON.stringify(id));
}

/** Waits until a started daemon is ready; fails early, with its last words, when it ends. */
export async function waitForDaemon(
  daemon: Daemon,
  isReady: () => Promise<boolean>,
  timeout: number,
): Promise<void> {
  const detail = () => lastLines(daemon);
  const ready = async () => {
    if (await isReady()) return true;
    if (await runningDaemon(daemon)) return false;
    throw new Error(`${daemon.name} ended; it last wrote:\n${await detail()}`);
  };
  await until(`${daemon.name} answers`, ready, timeout, { every: 200, detail });
}

/** Ends a daemon: SIGTERM, then SIGKILL. Nothing happens when it does not run. */
export async function stopDaemon(daemon: Daemon): Promise<void> {
  const id = await runningDaemon(daemon);
  if (id) {
    signal(id, "SIGTERM");
    await until(`${daemon.name} has ended`, () => !isAlive(id), STOP_GRACE).catch(() =>
      signal(id, "SIGKILL"),
    );
  }
  await rm(recordFile(daemon), { force: true });
}

async function runningDaemon(daemon: Daemon): Promise<ProcessId | undefined> {
  const text = await readFile(recordFile(daemon), "utf8").catch(() => "");
  if (text === "") return undefined;
  const id = JSON.parse(text) as ProcessId;
  return isAlive(id) ? id : undefined;
}

async function lastLines(daemon: Daemon, count = 15): Promise<string> {
  const text = await readFile(logFile(daemon), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function recordFile({ stateDir, name }: Daemon): string {
  return join(stateDir, `${name}.process`);
}

function logFile({ stateDir, name }: Daemon): string {
  return join(stateDir, `${name}.log`);
}
