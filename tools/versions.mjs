// Which version of a program is installed. Asking a program costs time at every run, so the answer
// is kept for as long as the file is the same.
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { output } from "./run.mjs";

/**
 * The full path of a program on PATH, or undefined.
 *
 * @param {string} name
 * @param {string} [path]
 */
export function onPath(name, path = process.env.PATH ?? "") {
  return path
    .split(delimiter)
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The version that a program tells of itself, such as "1.26.8", or undefined.
 *
 * @param {string} file full path
 * @param {string[]} args such as ["--version"]
 * @param {string} memory a JSON file that keeps the answers
 */
export function versionOf(file, args, memory) {
  const real = realpathSync(file);
  const { mtimeMs, size } = statSync(real);
  const key = [file, real, mtimeMs, size, ...args].join("|");
  /** @type {Record<string, string>} */
  let known = {};
  try {
    known = JSON.parse(readFileSync(memory, "utf8"));
  } catch {
    // Nothing is known yet.
  }
  if (known[key] === undefined) {
    const version = /\d+\.\d+(\.\d+)?/.exec(output(file, args) ?? "")?.[0] ?? "";
    known = { ...known, [key]: version };
    mkdirSync(dirname(memory), { recursive: true });
    writeFileSync(`${memory}.${process.pid}`, JSON.stringify(known));
    renameSync(`${memory}.${process.pid}`, memory);
  }
  return known[key] || undefined;
}

/**
 * @param {string | undefined} version
 * @param {string} least
 * @example atLeast("1.26.8", "1.26.0") // true
 */
export function atLeast(version, least) {
  if (version === undefined) return false;
  const [have, need] = [version, least].map((text) => text.split(".").map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (have?.[index] ?? 0) - (need?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
