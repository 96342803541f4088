/** What the parts have written meanwhile, and what of it nobody has expected. */
import { existsSync, readFileSync, statSync } from "node:fs";

import { logFiles } from "../../lab/logs.ts";
import { type ContainerRole, hostOf } from "../parts/containers.ts";
import type { World } from "./world.ts";

export const COMPONENTS = ["stalwart", "sidecar", "edge", "postgres", "postfix"] as const;
export type Component = (typeof COMPONENTS)[number];

/** A line that may be there, and why. */
export interface Allowance {
  of: Component;
  line: RegExp;
  why: string;
}

/** What is an error or a warning in the words of each. */
const ALARMS: Record<Component, RegExp> = {
  stalwart: /^\S+ (WARN|ERROR)\b|panicked|^tailwart: (?!gate: Postgres \S+ answers|watch: SMTP greets)/,
  // tailscaled has no levels.
  sidecar: /\b(error|fail(ed|ure)?|warning|panic|fatal|unhealthy|timed? ?out|refused)\b/i,
  edge: /"level":"(warn|error|panic|fatal)"|^panic/,
  postgres: /\b(WARNING|ERROR|FATAL|PANIC):/,
  postfix: /\b(warning|error|fatal|panic|reject|statistics: max.*exceeded):/,
};

/** The lines of a log that nobody has expected, each once, with how often it came; pure. */
export function unexpected(
  of: Component,
  log: string,
  allowed: readonly Allowance[],
): { line: string; times: number }[] {
  const counts = new Map<string, { line: string; times: number }>();
  const mine = allowed.filter((each) => each.of === of);
  for (const line of log.split("\n")) {
    if (!ALARMS[of].test(line) || mine.some((each) => each.line.test(line))) continue;
    const kind = line.replaceAll(/\d+/g, "0");
    const known = counts.get(kind);
    if (known) known.times++;
    else counts.set(kind, { line: line.trim(), times: 1 });
  }
  return [...counts.values()];
}

/** Remembers where each log ends, for reading what comes after. */
export function beginLogs(world: World): () => Promise<Record<Component, string>> {
  const since = new Date().toISOString();
  const sizes = new Map(["db-postgres", "mail-postfix"].map((name) => [name, sizeOf(world, name)]));
  const file = (name: string) => {
    const path = logFiles(world.layout)[name];
    return path === undefined ? "" : readFileSync(path).subarray(sizes.get(name)).toString("utf8");
  };
  const container = async (role: ContainerRole, box = hostOf(role)) => {
    const args = ["logs", "--since", since, world.container(role)];
    // Only some faults have a second edge.
    const { stdout, stderr } = await world.docker(box, args, { allowFailure: box === "edge2" });
    return `${stdout}\n${stderr}`;
  };
  return async () => ({
    stalwart: await container("stalwart"),
    sidecar: await container("sidecar"),
    edge: `${await container("edge")}\n${await container("edge", "edge2")}`,
    postgres: file("db-postgres"),
    postfix: file("mail-postfix"),
  });
}

function sizeOf({ layout }: World, name: string): number {
  const path = logFiles(layout)[name];
  return path !== undefined && existsSync(path) ? statSync(path).size : 0;
}
