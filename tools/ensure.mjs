// ensure(groups): every program of the groups is there, and this is the environment that finds
// them.
import { existsSync, linkSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { cacheRoot, keyOf, makeWhole } from "./cache.mjs";
import { ToolError } from "./errors.mjs";
import { pieces } from "./manifest.mjs";
import { find, provide, pluginFolder } from "./pieces.mjs";
import { endChildren } from "./run.mjs";

/** @typedef {import("./ensure.d.mts").Found} Found */
/** @typedef {import("./ensure.d.mts").Group} Group */
/** @typedef {import("./ensure.d.mts").Piece} Piece */

/**
 * Makes what is missing of the groups and tells where everything is.
 *
 * @param {Group[]} groups
 * @param {{ quiet?: boolean }} [options] quiet: say nothing when there is nothing to do
 * @returns {Promise<import("./ensure.d.mts").Tools>}
 * @throws ToolError that says what failed, why, and what to run
 * @example
 * const { env } = await ensure(["engine"]); spawn("pulumi", ["preview"], { env: { ...process.env,
 *   ...env } });
 */
export async function ensure(groups, options = {}) {
  const wanted = piecesOf(groups);
  const before = wanted.map((piece) => find(piece));
  const missing = wanted.filter((_, index) => !before[index]);
  const again = `node tools/cli.mjs ensure ${groups.join(" ")}`;
  if (missing.length === 0 && !options.quiet)
    console.error(`toolchain: all ${wanted.length} pieces in place`);

  /** @type {Found[]} */
  const found = [];
  /** @type {Record<string, string>} */
  const programs = {};
  /** @param {(piece: Piece) => boolean} ofLane */
  const lane = async (ofLane) => {
    for (const [index, piece] of wanted.entries()) {
      if (!ofLane(piece)) continue;
      const title = `toolchain ${missing.indexOf(piece) + 1}/${missing.length} ${piece.name} ${piece.version}`;
      const one = before[index] ?? (await provide(piece, { title, tools: programs, again }));
      found[index] = one;
      for (const program of piece.programs) programs[program] = join(one.bin, program);
    }
  };
  // The crate beside the Go modules: each leaves processors idle while it fetches and links.
  await allOrEnd([lane(isCrate), lane((piece) => !isCrate(piece))]);
  return { pieces: found, programs, ...(await environment(found)) };
}

/** @param {Piece} piece */
function isCrate(piece) {
  return piece.build.some((build) => "cargo" in build);
}

/**
 * Waits for all; when one fails, what the others run is ended, so that none goes on unseen.
 * @param {Promise<void>[]} lanes
 * @throws what failed first
 */
export async function allOrEnd(lanes) {
  try {
    await Promise.all(lanes);
  } catch (error) {
    endChildren();
    await Promise.allSettled(lanes);
    throw error;
  }
}

/**
 * The pieces of the groups, in the order in which they can be made (the plugins need Pulumi).
 *
 * @param {Group[]} groups
 */
export function piecesOf(groups) {
  const known = new Set(pieces.map((piece) => piece.group));
  const wrong = groups.filter((group) => !known.has(group));
  if (wrong.length > 0)
    throw new ToolError(`"${wrong[0]}" is no group of the toolchain`, {
      hint: `write one of: ${[...known].join(", ")}`,
    });
  return pieces.filter((piece) => groups.includes(piece.group));
}

/** @param {Found[]} found */
async function environment(found) {
  // Plugins are found in PULUMI_HOME; on PATH the engine would warn about them at every run.
  const bin = [...new Set(found.filter(({ piece }) => !piece.plugin).map((one) => one.bin))];
  /** @type {Record<string, string>} */
  const env = {
    PATH: [...bin, process.env.PATH].filter(Boolean).join(delimiter),
    TAILWART_BIN: await linkFolder(found),
  };
  const plugins = found.filter(({ piece }) => piece.plugin);
  if (plugins.length > 0) {
    // A home of our own, also beside an official pulumi from PATH: a stand-in built here carries an
    // official version number, and in ~/.pulumi every other project of the user would take it for
    // the official plugin. What else lives there (login, selected stacks) is not needed: tailwart's
    // commands name backend and stack.
    env.PULUMI_HOME = await pulumiHome(plugins);
    // Every plugin that the program needs is in that home; a download of another one could only
    // hang.
    env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
    env.PULUMI_SKIP_UPDATE_CHECK = "true";
  }
  return { bin, env };
}

/** One folder that names every program of the pieces. @param {Found[]} found */
async function linkFolder(found) {
  const links = found.flatMap(({ piece, bin }) => piece.programs.map((name) => [name, join(bin, name)]));
  const target = join(cacheRoot(), "tools", `bin-${keyOf(links)}`);
  if (!existsSync(target)) {
    await makeWhole(target, (folder) => {
      for (const [name = "", file = ""] of links) symlinkSync(file, join(folder, name));
    });
  }
  return target;
}

/**
 * A PULUMI_HOME that holds exactly these plugins, as hard links: Pulumi overlooks a linked folder.
 * @param {Found[]} plugins
 */
async function pulumiHome(plugins) {
  const folders = plugins.map(({ piece, folder = "" }) => join(folder, "plugins", pluginFolder(piece)));
  const target = join(cacheRoot(), "tools", `pulumi-home-${keyOf(folders)}`);
  if (!existsSync(target)) {
    await makeWhole(target, (home) => {
      for (const folder of folders) {
        const copy = join(home, "plugins", basename(folder));
        mkdirSync(copy, { recursive: true });
        for (const name of readdirSync(folder)) linkSync(join(folder, name), join(copy, name));
      }
    });
  }
  return target;
}
