import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { run } from "../run.ts";
import type { ImageFacts } from "./facts.ts";
import type { ImageConfig } from "./store.ts";

const PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Holds an unpacked image against its table of facts.
 *
 * @param root the image's files
 * @returns what is different, one sentence each; empty when it is as the table says
 */
export async function differences(root: string, config: ImageConfig, facts: ImageFacts): Promise<string[]> {
  const missing = facts.programs
    .filter((path) => !isProgram(root, path))
    .map((path) => `${path} is no program in it`);
  const added = facts.absent.flatMap((name) =>
    PATH.map((folder) => join(folder, name))
      .filter((path) => follow(root, path) !== undefined)
      .map((path) => `${path} is in it`),
  );
  const strangers = Object.entries(facts.only).flatMap(([folder, names]) =>
    listOf(root, folder)
      .filter((name) => !names.includes(name))
      .map((name) => `${join(folder, name)} is in it`),
  );
  const links = Object.entries(facts.links).flatMap(([link, target]) => {
    const found = follow(root, link);
    return found === target ? [] : [`${link} leads to ${found ?? "nothing"}, not to ${target}`];
  });
  const users = Object.entries(facts.users ?? {})
    .filter(([name, ids]) => idsOf(root, name) !== ids)
    .map(([name, ids]) => `the user ${name} is not ${ids}`);
  const problems = [...missing, ...added, ...strangers, ...links, ...users];
  return [...problems, ...(await capabilities(root, facts)), ...configDifferences(config, facts.config)];
}

async function capabilities(root: string, { programs, capabilities: wanted }: ImageFacts): Promise<string[]> {
  const problems: string[] = [];
  for (const path of programs.filter((each) => isProgram(root, each))) {
    const { stdout } = await run("getcap", [join(root, follow(root, path) ?? path)]);
    const found = stdout.trim().split(" ").at(1) ?? "";
    if (found !== (wanted[path] ?? ""))
      problems.push(`${path} has the capability ${found || "none"}, not ${wanted[path] ?? "none"}`);
  }
  return problems;
}

/**
 * Users and start as the table has them; what an image may have beside it, such as labels, does not
 * matter.
 */
function configDifferences(config: ImageConfig, wanted: ImageConfig): string[] {
  const keys = ["User", "WorkingDir", "Entrypoint", "Cmd", "Volumes", "Healthcheck"] as const;
  const text = (value: unknown) => JSON.stringify(emptyIsNone(value)) ?? "none";
  const fields = keys
    .filter((key) => text(config[key]) !== text(wanted[key]))
    .map((key) => `${key} is ${text(config[key])}, not ${text(wanted[key])}`);
  const env = (wanted.Env ?? [])
    .filter((entry) => !config.Env?.includes(entry))
    .map((entry) => `Env has no ${entry}`);
  return [...fields, ...env];
}

function emptyIsNone(value: unknown): unknown {
  if (value === null || value === "" || value === "/") return undefined;
  if (Array.isArray(value) || typeof value !== "object") return value;
  const entries = Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function isProgram(root: string, path: string): boolean {
  const found = follow(root, path);
  return found !== undefined && (statSync(join(root, found)).mode & 0o111) !== 0;
}

/** The file that a path of the image leads to in the end; undefined for none. */
function follow(root: string, path: string): string | undefined {
  let current = "/";
  let rest = path.split("/").filter(Boolean);
  for (let hops = 0; rest.length > 0; hops++) {
    const [name = "", ...after] = rest;
    const next = resolve(current, name);
    const entry = lstatSync(join(root, next), { throwIfNoEntry: false });
    if (!entry || hops > 100) return undefined;
    if (entry.isSymbolicLink()) {
      const target = resolve(dirname(next), readlinkSync(join(root, next)));
      rest = [...target.split("/").filter(Boolean), ...after];
      current = "/";
    } else {
      current = next;
      rest = after;
    }
  }
  return current;
}

function listOf(root: string, folder: string): string[] {
  const found = follow(root, folder);
  return found && existsSync(join(root, found))
    ? readdirSync(join(root, found)).map((name) => basename(name))
    : [];
}

function idsOf(root: string, user: string): string | undefined {
  const file = join(root, "etc/passwd");
  if (!existsSync(file)) return undefined;
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((each) => each.startsWith(`${user}:`));
  return line?.split(":").slice(2, 4).join(":");
}
