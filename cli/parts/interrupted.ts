// What a killed `pulumi up` leaves behind: a lock, processes without an engine, and operations that
// never ended.
import { readFile, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "../../lib/errors.ts";
import {
  ageOf,
  allPids,
  ancestorsOf,
  commandLine,
  environmentOf,
  isAlive,
  type ProcessId,
  processOf,
  signal,
} from "../../lab/processes.ts";
import { type LabStack, labEnvironment, mustPulumi } from "./pulumi-cli.ts";

/**
 * How long an engine that is still at work is waited for. Seconds: as long as `pulumi up` may take.
 */
const PATIENCE = 600;

/** A lock of Pulumi's file backend (pkg/backend/diy/lock.go). */
interface Lock {
  file: string;
  /** Undefined where the file is no whole lock: its writer was killed over it. */
  holder?: { pid: number; hostname: string; username: string; timestamp: string };
}

/**
 * Clears the way for the next `up` after one that was killed. An engine that is still at work is
 * waited for, so that there are never two; a lock whose process is dead is removed, and what that
 * one had started is ended.
 *
 * @param say is told what is waited for
 * @returns what was cleared away, in words; undefined when nothing was in the way
 * @throws UserError when another machine holds the lock, or an engine here does not come to an end
 */
export async function settleInterrupted(
  stack: LabStack,
  say: (line: string) => void,
): Promise<string | undefined> {
  // A preview takes no lock and changes nothing. What has only begun has no lock yet.
  const previews = (pid: number) => commandLine(pid).includes("preview");
  const atWork = enginesOf(stack).filter(({ pid }) => !previews(pid));
  for (const engine of [...atWork, ...(await locksOf(stack)).flatMap(holderOf)]) await ended(engine, say);
  const locks = (await locksOf(stack)).filter((lock) => holderOf(lock).length === 0);
  const orphans = orphansOf(stack);
  for (const orphan of orphans) signal(orphan, "SIGKILL");
  while (orphans.some(isAlive)) await sleep(50);
  for (const { file } of locks) await rm(file, { force: true });
  const pending = await dropPending(stack);
  const cleared = [
    ...locks.map(({ holder }) => `the lock of ${holder ? `process ${holder.pid} (dead)` : "nobody"}`),
    ...(orphans.length > 0 ? [`${orphans.length} processes without an engine`] : []),
    ...(pending > 0 ? [`${pending} operations that never ended`] : []),
  ];
  return cleared.length > 0 ? `removed what a killed up had left: ${cleared.join(", ")}` : undefined;
}

/** The Pulumi CLIs at work on the lab's stack. */
export function enginesOf(stack: LabStack): ProcessId[] {
  return processesOf(stack).filter(({ pid }) => isPulumi(pid));
}

const isPulumi = (pid: number) => basename(commandLine(pid)[0] ?? "") === "pulumi";

/**
 * Every process that was started to reach this lab's stack: engines, their plugins, the commands of
 * resources.
 */
function processesOf(stack: LabStack): ProcessId[] {
  const backend = `PULUMI_BACKEND_URL=${labEnvironment(stack)["PULUMI_BACKEND_URL"]}`;
  return allPids()
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(backend))
    .flatMap((pid) => processOf(pid) ?? []);
}

/**
 * Those of them that no engine is above of any more. A docker provider among them could still make
 * a container.
 */
function orphansOf(stack: LabStack): ProcessId[] {
  return processesOf(stack).filter(({ pid }) => !isPulumi(pid) && !ancestorsOf(pid).some(isPulumi));
}

async function locksOf(stack: LabStack): Promise<Lock[]> {
  const folder = join(stack.backend, ".pulumi", "locks");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && basename(entry.parentPath) === stack.name);
  return Promise.all(
    files
      .filter(({ name }) => !name.endsWith(".attrs"))
      .map(async ({ parentPath, name }) => {
        const file = join(parentPath, name);
        const text = await readFile(file, "utf8").catch(() => "");
        try {
          return { file, holder: JSON.parse(text) as NonNullable<Lock["holder"]> };
        } catch {
          return { file };
        }
      }),
  );
}

/**
 * The process that holds a lock, if it lives.
 *
 * @throws UserError when that is on another machine
 */
function holderOf({ file, holder }: Lock): ProcessId[] {
  if (!holder) return [];
  const { pid, hostname: host, username, timestamp } = holder;
  if (host !== hostname())
    throw new UserError(
      `the stack is locked by ${username}@${host} (process ${pid}, since ${timestamp}), which cannot be looked at from here`,
      { hint: `where nothing runs there any more: rm ${file}` },
    );
  const engine = processOf(pid);
  // The number alone says nothing: another process may have been given it since.
  const older = engine && Date.now() - ageOf(engine) * 1000 <= Date.parse(timestamp) + 1000;
  return engine && older && isPulumi(pid) ? [engine] : [];
}

/** Waits for an engine's end. @throws UserError when it does not come */
async function ended(engine: ProcessId, say: (line: string) => void): Promise<void> {
  const what = `\`pulumi ${commandLine(engine.pid)[2] ?? "up"}\` (process ${engine.pid})`;
  if (isAlive(engine)) say(`an earlier ${what} is still at work; waiting for its end`);
  for (const end = Date.now() + PATIENCE * 1000; isAlive(engine); await sleep(200)) {
    if (Date.now() > end)
      throw new UserError(`an earlier ${what} does not come to an end`, {
        hint: `ask it to: kill -INT ${engine.pid}; it ends what is under way and unlocks the stack`,
      });
  }
}

/**
 * Forgets what the state says is being created: the program itself takes away what is there of it,
 * and the engine would warn of it for ever. An import drops it (pkg/cmd/pulumi/stack/import.go).
 *
 * @returns how many there were
 */
async function dropPending(stack: LabStack): Promise<number> {
  const checkpoint = join(stack.backend, ".pulumi", "stacks", "tailwart", `${stack.name}.json`);
  const text = await readFile(checkpoint, "utf8").catch(() => "{}");
  const { checkpoint: state } = JSON.parse(text) as {
    checkpoint?: { latest?: { pending_operations?: unknown[] } };
  };
  const count = state?.latest?.pending_operations?.length ?? 0;
  if (count === 0) return 0;
  const exported = await mustPulumi(stack, ["stack", "export", "--stack", stack.name]);
  await mustPulumi(stack, ["stack", "import", "--stack", stack.name], { input: exported.stdout });
  return count;
}
