import { lstatSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import type { Variables } from "./compose/interpolate.ts";
import { variablesOf } from "./compose/variables.ts";
import { isCaddyJsonText, isPolicyFile } from "./input/files.ts";
import { isState } from "./input/state.ts";
import { isPlan, isStalwartToml } from "./input/stalwart.ts";
import { MAX_STATE_BYTES, type Repository } from "./repository.ts";

export type Kind = "compose" | "caddy" | "policy" | "settings" | "plan" | "state" | "unreadable";

/** A file that can be judged. */
export interface Input {
  readonly kind: Kind;
  readonly path: string;
}

/** Folders that hold other people's files, or none that anybody writes. */
const SKIPPED = new Set([".git", "node_modules", "vendor", ".terraform", ".venv", "dist", "target"]);
const MAX_DEPTH = 12;
const COMPOSE_NAME = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$|\.compose\.ya?ml$/i;
const CADDY_NAME = /^Caddyfile(?:[.-][\w.-]+)?$|\.caddyfile$/i;
const SERVICES = /^(["']?)(?:services|include)\1[ \t]*:/m;
const IMAGE = /^[ \t]+(["']?)image\1[ \t]*:/m;
/** The whole file as one pair of braces, as JSON is. */
const FLOW = /^(?:\s|#[^\n]*\n|---[^\n]*\n)*\{[^]*\b(?:services|include)["']?[ \t]*:/;
const STATE_HEAD = 4096;

/** Every file below the paths that can be judged, in the order of their names. */
export function discover(paths: readonly string[], repository: Repository): Input[] {
  const found = new Map<string, Input>();
  const take = (path: string, isNamed = false): void => {
    const kind = kindOf(path, repository, isNamed);
    if (kind) found.set(path, { kind, path });
  };
  const visit = (folder: string, depth: number): void => {
    for (const entry of repository.list(folder)) {
      const path = join(folder, entry.name);
      const isFolder = entry.isDirectory();
      if (isFolder ? SKIPPED.has(entry.name) || depth >= MAX_DEPTH : !mayBeInput(entry.name)) continue;
      if (repository.isIgnored(path, isFolder)) continue;
      if (isFolder) visit(path, depth + 1);
      else take(path);
    }
  };
  for (const path of paths) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) visit(path, 0);
    else take(path, true);
  }
  return [...found.values()];
}

const mayBeInput = (name: string): boolean =>
  CADDY_NAME.test(name) || /\.(?:ya?ml|jsonc?|hujson|toml|ndjson)$/i.test(name);

/**
 * What a file is, by its name and, where that does not tell, by what it says.
 *
 * @param isNamed whether the user asks for it, so that silence would pass for a good verdict
 */
export function kindOf(path: string, repository: Repository, isNamed = false): Kind | undefined {
  const name = basename(path);
  const text = repository.read(path, /\.json$/i.test(name) ? MAX_STATE_BYTES : undefined);
  if (text === undefined) {
    const isExpected = isNamed || COMPOSE_NAME.test(name) || CADDY_NAME.test(name);
    return isExpected && !repository.outside.has(repository.shown(path)) ? "unreadable" : undefined;
  }
  if (CADDY_NAME.test(name)) return "caddy";
  if (/\.ya?ml$/i.test(name)) {
    const isCalledSo = COMPOSE_NAME.test(name);
    if (isCalledSo && FLOW.test(text)) return "compose";
    return (isCalledSo || IMAGE.test(text)) && SERVICES.test(text) ? "compose" : undefined;
  }
  if (/\.toml$/i.test(name)) return isStalwartToml(text) ? "settings" : undefined;
  if (/\.ndjson$/i.test(name)) return isPlan(text) ? "plan" : undefined;
  if (!/\.(?:jsonc?|hujson)$/i.test(name)) return undefined;
  if (isState(text.slice(0, STATE_HEAD))) return "state";
  if (isCaddyJsonText(text)) return "caddy";
  return isPolicyFile(text) ? "policy" : undefined;
}

/**
 * The compose files of each project, the first one before those that go over it: those that
 * COMPOSE_FILE of a folder's `.env` lists. Of the others `compose.yaml` has its override; another
 * file beside it is a project of its own where each of its services says what it runs, and goes
 * over the first where it does not.
 */
export function projectsOf(inputs: readonly Input[], repository: Repository): string[][] {
  const files = inputs.filter(({ kind }) => kind === "compose").map(({ path }) => path);
  const listed = [...new Set(files.map(dirname))].map((folder) => listedIn(folder, repository));
  const rest = files.filter((path) => !listed.some((project) => project.includes(path)));
  const found = [...Map.groupBy(rest, dirname).values()].flatMap((beside) => {
    const main = MAIN.map((name) => beside.find((path) => basename(path) === name)).find(Boolean);
    const others = beside.filter((path) => path !== main);
    const isOver = (path: string): boolean =>
      main !== undefined && (OVERRIDE.test(basename(path)) || !isWhole(repository.read(path) ?? ""));
    const overrides = others.filter((path) => OVERRIDE.test(basename(path)) && isOver(path));
    const variants = others.filter((path) => !OVERRIDE.test(basename(path)) && isOver(path));
    return [
      ...(main === undefined ? [] : [[main, ...overrides]]),
      ...variants.map((path) => [main ?? path, path]),
      ...others.filter((path) => !isOver(path)).map((path) => [path]),
    ];
  });
  return [...listed.filter((project) => project.length > 0), ...found];
}

/**
 * The files that a folder's `.env` says to take, in their order.
 * @see https://docs.docker.com/compose/how-tos/environment-variables/envvars/#compose_file
 */
function listedIn(folder: string, repository: Repository): string[] {
  const env = join(folder, ".env");
  if (!/^[ \t]*(?:export[ \t]+)?COMPOSE_FILE\b/m.test(repository.read(env) ?? "")) return [];
  const variables = variablesOrNone(env, repository);
  const separator = variables.get("COMPOSE_PATH_SEPARATOR")?.value || ":";
  const names = variables.get("COMPOSE_FILE")?.value.split(separator) ?? [];
  const paths = names.flatMap((name) => (name.trim() === "" ? [] : [resolve(folder, name.trim())]));
  // With a part that is not there Compose does not start, and guessing would judge another stack.
  return paths.every((path) => repository.read(path) !== undefined) ? paths : [];
}

function variablesOrNone(env: string, repository: Repository): Variables {
  try {
    return variablesOf([env], new Map(), repository);
  } catch {
    // Said where the project is read, which needs the same file.
    return new Map();
  }
}

/** In the order in which Compose looks for them. */
const MAIN = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVERRIDE = /^(?:docker-)?compose\.override\.ya?ml$/;

/** Whether every service of a compose file says what it runs. */
function isWhole(text: string): boolean {
  const [, services = ""] = /^services:[^\n]*\n((?:[ \t#].*\n?|\n)*)/m.exec(text) ?? [];
  const indent = /^([ \t]+)[\w"']/m.exec(services)?.[1] ?? "  ";
  const parts = services.split(new RegExp(`^${indent}(?=[\\w"'.-]+:)`, "m")).slice(1);
  return parts.every((part) => /^[ \t]+(?:image|build|extends):/m.test(part));
}
