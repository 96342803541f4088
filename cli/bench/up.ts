import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { UserError } from "../../lib/errors.ts";
import { PROJECT } from "../parts/pulumi-cli.ts";
import { sample, type UpFigures } from "./figures.ts";

/** One run of a command: how long it took, and each of its stages. Milliseconds. */
export interface StagedRun {
  total: number;
  stages: { title: string; took: number }[];
}

/** What cli/parts/progress.ts prints when a stage begins. */
const BEGINS = /^\[\d+\/\d+\] (.*) …$/;

/**
 * Runs one of the project's commands as a user does, and takes the time of its stages by the lines
 * that it prints.
 *
 * @param command script of package.json
 * @throws UserError with the end of what it printed, on an exit code other than 0
 */
export async function timedCommand(command: string, name: string): Promise<StagedRun> {
  const start = performance.now();
  // What the script of package.json is; without npm between, a signal reaches the command itself.
  const args = [join("tools", "entry.mjs"), join("cli", `${command}.ts`), "--name", name];
  const child = spawn(process.execPath, args, { cwd: PROJECT, stdio: ["ignore", "pipe", "pipe"] });
  const pass = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to both.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, pass);
  const said: string[] = [];
  const begun: { title: string; at: number }[] = [{ title: "start of Node", at: start }];
  const read = (line: string) => {
    said.push(line);
    const title = BEGINS.exec(line)?.[1];
    if (title !== undefined) begun.push({ title, at: performance.now() });
  };
  createInterface({ input: child.stdout }).on("line", read);
  createInterface({ input: child.stderr }).on("line", read);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  for (const signal of signals) process.off(signal, pass);
  const end = performance.now();
  if (code !== 0) {
    const last = said.slice(-15).join("\n");
    throw new UserError(`npm run ${command} -- --name ${name} failed with exit code ${code}:\n${last}`);
  }
  const stages = begun.map(({ title, at }, index) => ({ title, took: (begun[index + 1]?.at ?? end) - at }));
  return { total: end - start, stages };
}

/** Medians, of the whole and of each stage. */
export function upFigures(runs: readonly StagedRun[]): UpFigures {
  const titles = runs[0]?.stages.map(({ title }) => title) ?? [];
  const took = (run: StagedRun, title: string) =>
    run.stages.find((stage) => stage.title === title)?.took ?? 0;
  return {
    total: sample(runs.map(({ total }) => total)),
    stages: titles.map((title) => ({ title, median: sample(runs.map((run) => took(run, title))).median })),
  };
}
