import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { Repository } from "../../../policies/check/repository.ts";
import { readProject, type Project } from "../../../policies/check/compose/project.ts";
import { stacksOf } from "../../../policies/check/compose/stacks.ts";
import type { Source, Stack } from "../../../policies/check/resource.ts";

const made: string[] = [];
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder with these files, gone after the tests. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "check-"));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A finding or a gap of `--json`. */
export interface Row {
  readonly policy: string;
  readonly policies: readonly { readonly id: string }[];
  readonly file: string;
  readonly line: number;
  readonly where: string;
  readonly what: string;
  readonly because: string;
  readonly lesson?: number;
  readonly known: boolean;
  readonly level: string;
}

export interface Checked {
  readonly exitCode: number;
  readonly findings: readonly Row[];
  readonly notJudged: readonly Row[];
  readonly problems: readonly (Row & { readonly message: string })[];
  readonly files: number;
}

/** What `tailwart-policies check --json` says of files. */
export async function checkFiles(
  files: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Checked> {
  return checkFolder(folderOf(files), ...args);
}

export async function checkFolder(folder: string, ...args: string[]): Promise<Checked> {
  const { stdout, stderr, exitCode } = await check(["--json", ...args], folder, "0.0.0");
  if (stdout === "") throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Omit<Checked, "exitCode">), exitCode };
}

/** @example "compose.yml:3 no-hardcoded-tailnet-ip" */
export const told = ({ file, line, policy }: Row): string => `${file}:${line} ${policy}`;

/** The findings of one policy, by place. */
export const placesOf = ({ findings }: Checked, policy: string): string[] =>
  findings.filter((one) => one.policy === policy).map(({ file, line }) => `${file}:${line}`);

/** What a compose file in a folder of others becomes. */
export function projectIn(
  files: Readonly<Record<string, string>>,
  paths: readonly string[] = ["compose.yml"],
): { project: Project; stacks: readonly Stack[]; container: (name: string) => Source } {
  const folder = folderOf(files);
  const repository = new Repository(folder);
  const project = readProject(
    paths.map((path) => join(folder, path)),
    repository,
  );
  const { stacks } = stacksOf(project, repository, []);
  const container = (name: string): Source => {
    const found = stacks.flatMap(({ resources }) => resources).find((one) => one.name === name);
    if (!found) throw new Error(`there is no service ${name}`);
    return found;
  };
  return { project, stacks, container };
}
