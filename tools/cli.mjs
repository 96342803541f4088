#!/usr/bin/env node
// The toolchain by hand: list, ensure, env.
import { ensure, piecesOf } from "./ensure.mjs";
import { ToolError } from "./errors.mjs";
import { debian } from "./manifest.mjs";
import { find } from "./pieces.mjs";
import { ensureDebianPackages } from "./debian.mjs";

const USAGE = `Usage: node tools/cli.mjs <command> [group…]   groups: engine, lab, server (default: all three), full

  list                 every piece, its version, and where it is
  ensure [group…]      makes what is missing
  env [group…]         prints shell exports; use: eval "$(node tools/cli.mjs env engine)"
  env [group…] --json  the same as JSON, with the paths of all programs
  debian               installs the Debian packages that the lab needs (root)`;

const [command, ...rest] = process.argv.slice(2);
const json = rest.includes("--json");
const named = rest.filter((word) => word !== "--json");
const groups = /** @type {import("./ensure.d.mts").Group[]} */ (
  named.length > 0 ? named : ["engine", "lab", "server"]
);

try {
  if (command === "list") list();
  else if (command === "ensure") await ensure(groups);
  else if (command === "env") await printEnvironment();
  else if (command === "debian") console.log((await ensureDebianPackages(debian.lab)).join("\n"));
  else {
    console.error(USAGE);
    process.exitCode = command === "--help" || command === "help" ? 0 : 2;
  }
} catch (error) {
  console.error(error instanceof ToolError ? error.message : error);
  process.exitCode = 1;
}

function list() {
  for (const piece of piecesOf(groups)) {
    const found = find(piece);
    const state = found
      ? `${found.source}${found.folder ? "" : ` (${found.version})`}  ${found.bin}`
      : "missing";
    console.log(`${piece.group.padEnd(7)}${piece.name.padEnd(27)}${piece.version.padEnd(10)}${state}`);
  }
}

async function printEnvironment() {
  const tools = await ensure(groups, { quiet: true });
  if (json)
    console.log(JSON.stringify({ env: tools.env, bin: tools.bin, programs: tools.programs }, undefined, 2));
  else
    for (const [name, value] of Object.entries(tools.env))
      console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
}
