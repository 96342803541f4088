import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { layoutOf } from "../../lab/topology.ts";
import { isAlive } from "../../lab/processes.ts";
import { labProcesses, ownNetwork, remains } from "./nothing-left.ts";

const CLI = join(import.meta.dirname, "..", "..", "cli");

/** The lab that the tests run in: not the user's own. */
export const LAB = process.env["TAILWART_LAB"] ?? "test";

/** Further arguments of the lab's `npm run up`: `npm test` hands its --image and --line on. */
export const UP_ARGUMENTS = JSON.parse(process.env["TAILWART_UP_ARGUMENTS"] ?? "[]") as string[];

/** Runs one of the project's own commands as a user would, and shows what it prints. */
function command(name: string, ...more: string[]): void {
  const args = [join(CLI, `${name}.ts`), "--name", LAB, ...more];
  const done = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (done.status !== 0) throw new Error(`npm run ${name} failed with exit code ${done.status}`);
}

/**
 * Before the lab's tests: `npm run up` from nothing. After them: `npm run down`, which must leave
 * nothing of a stack that ran: no process, namespace, mount, cgroup, folder, and the machine's own
 * network as it was.
 */
export async function setup(): Promise<() => Promise<void>> {
  const keep = process.env["TAILWART_KEEP"] === "1";
  if (!keep) command("down");
  const before = await ownNetwork();
  command("up", ...UP_ARGUMENTS);
  return async () => {
    if (keep) return;
    const layout = layoutOf(LAB);
    const processes = labProcesses(layout);
    command("down");
    const alive = processes.filter(isAlive).map(({ pid }) => `process ${pid}`);
    const network = (await ownNetwork()) === before ? [] : ["a change of the machine's own network"];
    const left = [...alive, ...remains(layout), ...network];
    if (left.length > 0) throw new Error(`npm run down has left of the lab "${LAB}":\n${left.join("\n")}`);
  };
}
