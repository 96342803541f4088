// Resolves one piece: cache, PATH, download, build, in the order that costs least.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { buildPiece, ingredients } from "./build.mjs";
import { cacheRoot, dropAbandoned, keyOf, makeWhole } from "./cache.mjs";
import { fetchPiece, reach } from "./download.mjs";
import { ToolError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { stage } from "./progress.mjs";
import { cleanUpOnSignals, run } from "./run.mjs";
import { atLeast, isExecutable, onPath, versionOf } from "./versions.mjs";

/** @typedef {import("./ensure.d.mts").Piece} Piece */
/** @typedef {import("./ensure.d.mts").Found} Found */

/** Why the last download failed. @type {string | undefined} */
let lastReason;

/**
 * Where a piece is, without making it; undefined when it is neither on PATH nor in the cache.
 *
 * @param {Piece} piece
 * @param {string} [root] the cache's root
 * @returns {Found | undefined}
 */
export function find(piece, root = cacheRoot()) {
  const folder = [downloadFolder(piece, root), buildFolder(piece, root)].find(
    (folder) => folder && existsSync(folder),
  );
  if (folder) {
    const { source } = JSON.parse(readFileSync(join(folder, "piece.json"), "utf8"));
    return { piece, folder, bin: join(folder, "bin"), version: piece.version, source };
  }
  return onMachine(piece, root);
}

/**
 * The piece, made if it has to be.
 *
 * @param {Piece} piece
 * @param {{ root?: string, title?: string, tools?: Record<string, string>, again?: string }}
 *   [options] title is shown before each line; tools = programs of earlier pieces by name; again =
 *   the command that goes on after a failure
 * @returns {Promise<Found>}
 * @throws ToolError that says what failed, why, and what to run
 */
export async function provide(piece, options = {}) {
  const root = options.root ?? cacheRoot();
  const there = find(piece, root);
  if (there) return there;
  cleanUpOnSignals();
  const shown = stage(options.title ?? `${piece.name} ${piece.version}`);
  try {
    return await withLock(
      join(root, "locks", `${piece.name}.lock`),
      async () => {
        const meanwhile = find(piece, root);
        if (meanwhile) {
          shown.end("made by another run");
          return meanwhile;
        }
        dropAbandoned(join(root, "tools"));
        const found = await make(piece, root, shown, options.tools ?? {});
        shown.end(found.source);
        return found;
      },
      { onWait: (pid) => shown.note(`waiting for process ${pid}, which makes it right now`) },
    );
  } catch (error) {
    shown.end();
    if (!(error instanceof ToolError)) throw error;
    const again = options.again ?? "node tools/cli.mjs ensure";
    throw new ToolError(`${piece.name} ${piece.version} could not be made: ${error.message}`, {
      hint: `Then run again: ${again} (finished stages are kept)`,
      cause: error,
    });
  }
}

/**
 * @param {Piece} piece
 * @param {string} root
 * @param {ReturnType<typeof stage>} shown
 * @param {Record<string, string>} tools
 */
async function make(piece, root, shown, tools) {
  const log = join(root, "logs", `${piece.name}-${new Date().toISOString().replaceAll(":", "")}.log`);
  const options = { log, root, doing: shown.doing };
  if (piece.download) {
    const target = /** @type {string} */ (downloadFolder(piece, root));
    try {
      await makeWhole(target, async (folder) => {
        shown.doing("looking for the official download");
        const leftovers = await download(piece, folder, options, tools);
        for (const path of leftovers) rmSync(path, { recursive: true, force: true });
        describe(folder, piece, "official download");
      });
      return /** @type {Found} */ (find(piece, root));
    } catch (error) {
      const why =
        error instanceof ToolError
          ? (error.message.split("\n")[0] ?? "")
          : /** @type {Error} */ (error).message;
      // "No route" holds for the whole run and is said once.
      if (why !== lastReason) shown.note(`not downloaded: ${why}. Made from package registries instead`);
      lastReason = why;
    }
  }
  const target = buildFolder(piece, root);
  await makeWhole(target, async (folder) => {
    for (const build of piece.build) await buildPiece(build, folder, options);
    if (piece.plugin)
      await installPlugin(piece, folder, join(folder, "bin", piece.programs[0] ?? ""), options, tools);
    rmSync(join(folder, "npm"), { recursive: true, force: true });
    describe(folder, piece, "npm" in (piece.build[0] ?? {}) ? "npm package" : "built from pinned sources");
  });
  return /** @type {Found} */ (find(piece, root));
}

/**
 * @param {Piece} piece
 * @param {string} folder
 * @param {{ log: string, doing: (text: string) => void }} options
 * @param {Record<string, string>} tools
 */
async function download(piece, folder, options, tools) {
  const { download } = piece;
  if (!download) throw new Error("there is no official download");
  if (!("plugin" in download)) return fetchPiece(download, folder, options);
  await reach(download.host);
  await installPlugin(piece, folder, undefined, options, tools);
  return [];
}

/**
 * Puts a provider plugin into a plugin cache below `folder` with Pulumi itself: the official one,
 * or `file`.
 * @param {Piece} piece @param {string} folder @param {string | undefined} file
 * @param {{ log: string, doing: (text: string) => void }} options @param {Record<string, string>}
 *   tools
 */
async function installPlugin(piece, folder, file, options, tools) {
  const pulumi = tools.pulumi ?? onPath("pulumi");
  if (!pulumi) throw new ToolError("Pulumi installs the provider plugins, and there is no pulumi yet");
  options.doing("installing the plugin");
  const args = ["plugin", "install", "resource", piece.plugin ?? "", piece.version];
  if (file) args.push("--file", file);
  const env = { ...process.env, PULUMI_HOME: folder, PULUMI_SKIP_UPDATE_CHECK: "1" };
  await run(pulumi, args, { log: options.log, env, timeout: 600_000 });
  const bin = join(folder, "bin");
  rmSync(bin, { recursive: true, force: true });
  // The plugin lies in the cache's own layout; `bin` names it for whoever looks for the program.
  mkdirSync(bin);
  const program = piece.programs[0] ?? "";
  symlinkSync(join("..", "plugins", pluginFolder(piece), program), join(bin, program));
}

/** @param {Piece} piece @example "resource-docker-v5.2.0" */
export function pluginFolder(piece) {
  return `resource-${piece.plugin}-v${piece.version}`;
}

/**
 * What the machine has itself.
 * @param {Piece} piece
 * @param {string} root
 * @returns {Found | undefined}
 */
function onMachine(piece, root) {
  const { path } = piece;
  if (!path) return undefined;
  const [program = ""] = piece.programs;
  // The Node that runs this is on nobody's PATH when it was started by its full name.
  for (const file of program === "node" ? [process.execPath, onPath(program)] : [onPath(program)]) {
    if (!file) continue;
    const version = versionOf(file, path.args, join(root, "versions.json"));
    if (!atLeast(version, path.atLeast)) continue;
    const home = dirname(realpathSync(file));
    if ((path.beside ?? []).some((name) => !isExecutable(join(home, name)))) continue;
    return { piece, folder: undefined, bin: dirname(file), version: version ?? "", source: "on PATH" };
  }
  return undefined;
}

/** @param {Piece} piece @param {string} root */
function downloadFolder(piece, root) {
  if (!piece.download) return undefined;
  return folderOf(piece, root, ["download", piece.version, piece.download, process.arch]);
}

/** @param {Piece} piece @param {string} root */
function buildFolder(piece, root) {
  const parts = piece.build.map((build) => [build, ingredients(build, root)]);
  return folderOf(piece, root, ["build", piece.version, parts, process.platform, process.arch]);
}

/** @param {Piece} piece @param {string} root @param {unknown[]} parts */
function folderOf(piece, root, parts) {
  return join(root, "tools", `${piece.name}-${keyOf(...parts)}`);
}

/** @param {string} folder @param {Piece} piece @param {string} source */
function describe(folder, piece, source) {
  const made = { name: piece.name, version: piece.version, source, made: new Date().toISOString() };
  writeFileSync(join(folder, "piece.json"), JSON.stringify(made));
  const missing = piece.programs.filter((name) => !readdirSync(join(folder, "bin")).includes(name));
  if (missing.length > 0) throw new ToolError(`${source}: ${missing.join(", ")} is not in it`);
}
