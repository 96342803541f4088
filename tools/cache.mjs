// The cache: <root>/tools/<piece>-<key>/bin/<program>. It lies outside the project, since Pulumi's
// language host walks the whole project tree at every run. A folder is either whole or not there:
// it is made under another name and renamed.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where everything made by tools/ lies: TAILWART_CACHE, else tailwart in XDG_CACHE_HOME or
 * ~/.cache.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @example cacheRoot() // "/home/me/.cache/tailwart"
 */
export function cacheRoot(env = process.env) {
  return env.TAILWART_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tailwart");
}

/**
 * Twelve hex digits that change when one of the parts does.
 *
 * @param {...unknown} parts anything that JSON can write
 */
export function keyOf(...parts) {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}

/**
 * A hash over names and contents of all files below a folder; build output (`target`) is left out.
 *
 * @param {string} folder
 */
export function folderHash(folder) {
  const hash = createHash("sha256");
  for (const file of filesIn(folder).sort()) {
    const name = file.slice(folder.length);
    if (!name.includes("/target/")) hash.update(name).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** The full paths of all files below a folder. @param {string} folder */
function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Folders under way, so that an interrupted run can take them away. @type {Set<string>} */
const underWay = new Set();

/**
 * Makes a folder as a whole: `fill` gets an empty folder beside the target, which is renamed when
 * `fill` is done and removed when it fails. What another run put there meanwhile is kept.
 *
 * @template T
 * @param {string} target
 * @param {(folder: string) => Promise<T> | T} fill
 */
export async function makeWhole(target, fill) {
  const folder = `${target}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  mkdirSync(folder, { recursive: true });
  underWay.add(folder);
  try {
    const result = await fill(folder);
    syncTree(folder);
    if (!existsSync(target)) renameSync(folder, target);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    underWay.delete(folder);
  }
}

/** Removes what this process left half-made; called when a signal ends it. */
export function dropUnderWay() {
  for (const folder of underWay) rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes what killed runs left half-made in a folder.
 *
 * @param {string} folder
 */
export function dropAbandoned(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /\.tmp-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * Writes a tree through to the disk: after a power cut a renamed folder must not hold empty files.
 * @param {string} folder
 */
function syncTree(folder) {
  for (const path of filesIn(folder)) {
    const file = openSync(path, "r");
    fsyncSync(file);
    closeSync(file);
  }
}
