#!/usr/bin/env node
// node tools/entry.mjs <script.ts> [argument…]: what the scripts of package.json call.
//
// A fresh clone may be met by Node 20 and no node_modules. This puts both right and then becomes
// the Node that runs the script; when all is in place it costs some tens of milliseconds. Plain
// JavaScript for Node >= 20 without a dependency.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...args] = process.argv.slice(2);

if (script === undefined) {
  console.error("Usage: node tools/entry.mjs <script.ts> [argument…]");
  process.exit(2);
}
try {
  const node = await rightNode();
  await installModules(node);
  await become(node, resolve(script), args);
} catch (error) {
  // Loaded late: with everything in place only this file is read.
  const { ToolError } = await import("./errors.mjs");
  console.error(error instanceof ToolError ? error.message : error);
  process.exitCode = 1;
}

/** The Node that runs .ts files as they are: this one, or the toolchain's. */
async function rightNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  const [{ pieces }, { provide }] = await Promise.all([import("./manifest.mjs"), import("./pieces.mjs")]);
  const piece = pieces.find(({ name }) => name === "node");
  if (!piece) throw new Error("the manifest has no piece named node");
  const found = await provide(piece, {
    again: `node tools/entry.mjs ${script}`,
    title: `node ${piece.version}`,
  });
  return join(found.bin, "node");
}

/** `npm ci` when node_modules is not what package-lock.json says. @param {string} node */
async function installModules(node) {
  const lock = join(project, "package-lock.json");
  const stamp = join(project, "node_modules", ".tailwart-lock-sha256");
  const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
  const upToDate = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (upToDate()) return;

  const [cache, { withLock }, { stage }, { run }, { ToolError }] = await Promise.all([
    import("./cache.mjs"),
    import("./lock.mjs"),
    import("./progress.mjs"),
    import("./run.mjs"),
    import("./errors.mjs"),
  ]);
  const root = cache.cacheRoot();
  const shown = stage("node modules");
  const log = join(root, "logs", "npm-ci.log");
  await withLock(
    join(root, "locks", `node-modules-${cache.keyOf(project)}.lock`),
    async () => {
      if (upToDate()) return;
      shown.doing("npm ci");
      rmSync(stamp, { force: true });
      // No install scripts: none of the packages needs one, and one of them would download a
      // plugin.
      const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { log, cwd: project, env });
      writeFileSync(stamp, wanted);
    },
    { onWait: (pid) => shown.note(`waiting for process ${pid}, which installs them right now`) },
  ).catch((error) => {
    shown.end();
    throw new ToolError(`the node modules could not be installed: ${error.message}`, {
      hint: `Then run again: node tools/entry.mjs ${script}`,
      cause: error,
    });
  });
  shown.end("in place");
}

/** Goes on as the script. @param {string} node @param {string} file @param {string[]} args */
async function become(node, file, args) {
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].filter(Boolean).join(delimiter) };
  // Node 22 warns of type stripping at every start.
  const argv = ["--disable-warning=ExperimentalWarning", file, ...args];
  // The same process where Node can do that (>= 22.15): nothing to forward.
  /** @typedef {(file: string, argv: string[], env: NodeJS.ProcessEnv) => void} Exec */
  const { execve } = /** @type {{ execve?: Exec }} */ (process);
  if (execve && process.platform !== "win32") {
    process.removeAllListeners("warning");
    execve.call(process, node, [node, ...argv], env);
  }
  const child = spawn(node, argv, { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both, and Pulumi takes a second one for "stop at once".
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  process.exitCode = await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (code, signal) => done(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
}
