// A Go module with a small change: its sources are copied from Go's module cache, the change is
// made in the copy, and the build is pointed there by a go.mod of its own. Go refuses an overlay
// over its module cache.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ToolError } from "./errors.mjs";
import { output } from "./run.mjs";

/**
 * @typedef {{ why: string, module: string, file: string, find: string, replace: string, append?:
 *   string }} Edit
 */

/**
 * Applies `edits.json` of a folder below tools/go, and returns the arguments with which `go build`
 * uses the result.
 *
 * @param {string} folder holds go.mod, go.sum and perhaps edits.json
 * @param {string} work a folder for the copies; the same one at every build, so that Go's build
 *   cache is hit
 * @returns {string[]} nothing where there is no edits.json
 * @throws ToolError when a text to replace does not stand there exactly once
 */
export function applyEdits(folder, work) {
  const list = join(folder, "edits.json");
  if (!existsSync(list)) return [];
  /** @type {Edit[]} */
  const edits = JSON.parse(readFileSync(list, "utf8"));
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  let modules = readFileSync(join(folder, "go.mod"), "utf8");
  for (const [index, name] of [...new Set(edits.map(({ module }) => module))].entries()) {
    const copy = join(work, `module-${index}`);
    copyModule(moduleFolder(folder, name), copy);
    for (const edit of edits.filter(({ module }) => module === name)) applyEdit(edit, copy);
    modules += `\nreplace ${name} => ${copy}\n`;
  }
  writeFileSync(join(work, "go.mod"), modules);
  cpSync(join(folder, "go.sum"), join(work, "go.sum"));
  return [`-modfile=${join(work, "go.mod")}`];
}

/** @param {Edit} edit @param {string} copy */
function applyEdit({ module, file, find, replace, append = "" }, copy) {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  if (text.split(find).length !== 2)
    throw new ToolError(`${module} has changed: ${file} no longer holds the text that edits.json replaces`, {
      hint: "look whether the change is still needed, and mend or remove its entry",
    });
  writeFileSync(path, text.replace(find, () => replace) + append);
}

/**
 * Where Go keeps the sources of a module, fetched if need be.
 * @param {string} folder
 * @param {string} name
 */
function moduleFolder(folder, name) {
  const dir = output("go", ["-C", folder, "mod", "download", "-json", name], 300_000);
  const found = dir ? /** @type {{ Dir?: string }} */ (JSON.parse(dir)).Dir : undefined;
  if (!found) throw new ToolError(`\`go mod download ${name}\` in ${folder} gives no sources`);
  return found;
}

/**
 * Go's module cache is read-only; tests and documents are not needed.
 * @param {string} from
 * @param {string} to
 */
function copyModule(from, to) {
  const unneeded = /\/testdata(\/|$)|_test\.go$|^\/(docs|integration)(\/|$)/;
  cpSync(from, to, { recursive: true, filter: (path) => !unneeded.test(path.slice(from.length)) });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(to, { withFileTypes: true, recursive: true })) {
    chmodSync(join(entry.parentPath ?? entry.path, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}
