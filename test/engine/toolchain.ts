import { readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

import { cacheRoot } from "../../tools/cache.mjs";
import { isExecutable } from "../../tools/versions.mjs";

/**
 * Directories in which a program is looked for: TAILWART_BIN, PATH, /usr/sbin (Debian's daemons),
 * the cache of tools/.
 */
function places(): string[] {
  const tools = join(cacheRoot(), "tools");
  let pieces: string[] = [];
  try {
    pieces = readdirSync(tools).toSorted().toReversed();
  } catch {
    // No cache yet: what is on PATH may be enough.
  }
  const own = process.env["TAILWART_BIN"];
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => dir !== "");
  return [
    ...(own ?? "").split(delimiter).filter((dir) => dir !== ""),
    ...path,
    "/usr/sbin",
    ...pieces.flatMap((piece) => [join(tools, piece), join(tools, piece, "bin")]),
  ];
}

/**
 * The path of a program that an engine test needs.
 *
 * @param remedy the command that puts it there
 * @throws when it is nowhere: the test fails, it does not skip
 */
export function requireProgram(name: string, remedy = "npm run tools"): string {
  const found = places()
    .map((dir) => join(dir, name))
    .find(isExecutable);
  if (!found)
    throw new Error(
      `This test needs the program \`${name}\`, and it is not on PATH, in TAILWART_BIN or in tailwart's cache.\n  Run: ${remedy}`,
    );
  return found;
}

/**
 * The Pulumi CLI and an environment in which it finds its language host and the named provider
 * plugins.
 */
export function requirePulumi(plugins: readonly string[] = []): { pulumi: string; env: NodeJS.ProcessEnv } {
  const pulumi = requireProgram("pulumi");
  const programs = [
    pulumi,
    requireProgram("pulumi-language-nodejs"),
    ...plugins.map((name) => requireProgram(`pulumi-resource-${name}`)),
  ];
  const dirs = [
    dirname(process.execPath),
    ...programs.flatMap((program) => [dirname(program), dirname(realpathSync(program))]),
  ];
  return {
    pulumi,
    env: {
      ...process.env,
      PATH: [...new Set(dirs), process.env["PATH"]].join(delimiter),
      PULUMI_SKIP_UPDATE_CHECK: "1",
    },
  };
}
