// Runs other programs for the stages: output into a log, children ended with us.
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { dirname } from "node:path";
import { dropUnderWay } from "./cache.mjs";
import { ToolError } from "./errors.mjs";
import { releaseAll } from "./lock.mjs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
let watching = false;

/**
 * Ends children, half-made folders and locks with this process. Called by everything that does long
 * work.
 */
export function cleanUpOnSignals() {
  if (watching) return;
  watching = true;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.once(signal, () => {
      endChildren();
      dropUnderWay();
      releaseAll();
      console.error("\nstopped: nothing half-made is left; running the same command again goes on from here");
      process.exit(128 + constants.signals[signal]);
    });
  }
}

let ended = false;

/** Ends what `run` runs, each of which then throws, and starts nothing any more. */
export function endChildren() {
  ended = true;
  for (const child of children) endGroup(child);
}

/**
 * Runs a program to its end, low in priority, with all output in a log.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ log: string, cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void,
 *   timeout?: number }} options timeout in milliseconds (default none)
 * @throws ToolError with the last lines of the output and the log's path
 */
export async function run(command, args, options) {
  cleanUpOnSignals();
  if (ended) throw new ToolError(`\`${command}\` is not started: another stage has failed`);
  mkdirSync(dirname(options.log), { recursive: true });
  const log = createWriteStream(options.log, { flags: "a" });
  log.write(`$ ${command} ${args.join(" ")}\n`);
  // A group of its own, so that the compilers a build has started end with it.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  children.add(child);
  if (child.pid) {
    try {
      setPriority(child.pid, 10);
    } catch {
      // It may have ended already.
    }
  }
  const timer = options.timeout ? setTimeout(() => endGroup(child), options.timeout) : undefined;
  let rest = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      log.write(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    });
  }
  const { code, error } = await new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: -1, error }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal, error: undefined }));
  });
  clearTimeout(timer);
  children.delete(child);
  await new Promise((done) => log.end(done));
  if (code === 0) return;
  const why = error ? `could not be started (${error.message})` : `ended with ${code}`;
  throw new ToolError(
    `\`${[command, ...args].join(" ")}\` ${why}:\n${lastLines(options.log)}\n  The whole log: ${options.log}`,
  );
}

/**
 * The text that a quick program writes, or undefined when it is not there or fails.
 * @param {string} command
 * @param {string[]} args
 * @param {number} [timeout] milliseconds
 */
export function output(command, args, timeout = 20_000) {
  const done = spawnSync(command, args, { encoding: "utf8", timeout });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/** @param {string} log @param {number} [count] */
function lastLines(log, count = 15) {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return lines
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** @param {import("node:child_process").ChildProcess} child */
function endGroup(child) {
  try {
    if (child.pid) process.kill(-child.pid, "SIGTERM");
  } catch {
    // Already ended.
  }
}
