// One run at a time makes a piece; a second one waits and says so. A lock is a file that holds the
// pid of its owner and when that process started, so that a lock of a killed run, or of a pid used
// again, is seen to be stale. It appears by link(2), which fails when the name is taken, and is
// never seen half-written.
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./cache.mjs";

/**
 * Locks of this process, so that an interrupted run can take them away.
 * @type {Map<string, string>}
 */
const held = new Map();

/**
 * Runs `work` while holding the lock; waits for as long as another living process has it.
 *
 * @template T
 * @param {string} file the lock's path
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (pid: number) => void, poll?: number }} [options] onWait is told once whom it
 *   waits for; poll in milliseconds (default 500)
 */
export async function withLock(file, work, options = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = JSON.stringify({
    pid: process.pid,
    started: startOf(process.pid),
    id: randomBytes(8).toString("hex"),
  });
  let told = false;
  while (!acquire(file, mine)) {
    const owner = ownerOf(file);
    if (owner && !told) {
      told = true;
      options.onWait?.(owner.pid);
    }
    await sleep(options.poll ?? 500);
  }
  held.set(file, mine);
  try {
    return await work();
  } finally {
    release(file, mine);
  }
}

/** Gives back all locks of this process; called when a signal ends it. */
export function releaseAll() {
  for (const [file, mine] of held) release(file, mine);
}

/** @param {string} file @param {string} mine */
function acquire(file, mine) {
  const draft = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    dropStale(file);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @param {string} file @param {string} mine */
function release(file, mine) {
  held.delete(file);
  if (read(file) === mine) rmSync(file, { force: true });
}

/**
 * Takes a stale lock away. Two waiters may see the same stale lock, and the slower one must not
 * take away the new lock of the faster: what was moved is looked at again, and put back if it is
 * alive.
 * @param {string} file
 */
function dropStale(file) {
  if (ownerOf(file) !== undefined || read(file) === undefined) return;
  const aside = `${file}.stale-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another waiter was faster
  }
  if (ownerOf(aside) !== undefined) {
    try {
      linkSync(aside, file);
    } catch {
      // A third process took the lock meanwhile: the work is idempotent, both may go on.
    }
  }
  rmSync(aside, { force: true });
}

/**
 * The living owner of a lock, or undefined.
 * @param {string} file
 * @returns {{ pid: number } | undefined}
 */
function ownerOf(file) {
  const text = read(file);
  if (text === undefined) return undefined;
  try {
    const owner = JSON.parse(text);
    const same = isAlive(owner.pid) && (owner.started === undefined || owner.started === startOf(owner.pid));
    return same ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * When a process started, in the kernel's clock ticks; undefined where there is no /proc (macOS).
 * @param {number} pid
 */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold anything; starttime is the
  // 22nd.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
