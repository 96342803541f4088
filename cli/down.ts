// `npm run down`: destroys the stack and takes the lab's world away.
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { layoutOf, requireLabMachine } from "../lab/topology.ts";
import { isAlive, signal } from "../lab/processes.ts";
import { down } from "../lab/lab.ts";
import { labArguments } from "./parts/arguments.ts";
import { enginesOf } from "./parts/interrupted.ts";
import { openRunningLab } from "./parts/open-lab.ts";
import { stackFlags } from "./parts/lab-config.ts";
import { Interrupted, Progress, runMain } from "./parts/progress.ts";
import { type LabStack, pulumi } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run down [-- --name NAME]

Destroys the stack and removes every container, network, volume, process,
interface and firewall rule of the lab. Toolchain and images stay in the cache.

  --name NAME   which lab (default: lab, or $TAILWART_LAB)

Exit codes: 0 nothing of it is left, 1 failed, 2 wrong usage.`;

const { name } = labArguments(USAGE);

await runMain(async () => {
  requireLabMachine();
  const layout = layoutOf(name);
  const progress = new Progress(2);
  await progress.stage(
    "pulumi destroy",
    async () => {
      try {
        return await destroyStack();
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        // A world that never got as far as having a stack, or only half of one: the next stage
        // needs neither.
        return `left to the next stage (${lastLine((error as Error).message)})`;
      }
    },
    (said) => said,
  );
  await progress.stage(`the lab's world "${name}"`, () => down(name));

  /** @returns what has become of the stack, in words */
  async function destroyStack(): Promise<string> {
    const operator = `/run/netns/${layout.machines.operator.netns}`;
    if (!existsSync(operator) || !existsSync(layout.boxes.kvm.socket)) return "no stack to destroy";
    const { stack } = await openRunningLab(name);
    if (!existsSync(stack.configFile)) return "no stack to destroy";
    await endEngines(stack);
    // A killed `up` leaves its lock behind, and operations that never ended.
    await pulumi(stack, ["cancel", "--yes", "--stack", stack.name]);
    const flags = ["--yes", "--skip-preview", "--exclude-protected", ...stackFlags(stack)];
    const run = await pulumi(stack, ["destroy", ...flags]);
    // What the engine could not destroy goes with the world.
    return run.code === 0 ? "done" : `left to the next stage (${lastLine(run.stdout + run.stderr)})`;
  }
});

/**
 * The engine of a killed `up` may still be at work on the stack; it is asked to stop, then made to.
 */
async function endEngines(stack: LabStack): Promise<void> {
  const engines = enginesOf(stack);
  for (const [name, seconds] of [["SIGINT", 10] as const, ["SIGKILL", 5] as const]) {
    const left = engines.filter(isAlive);
    left.forEach((engine) => signal(engine, name));
    for (const end = Date.now() + seconds * 1000; left.some(isAlive) && Date.now() < end;) await sleep(100);
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
