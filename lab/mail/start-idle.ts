import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { inMachine } from "../machine.ts";
import { SYSTEM_ENV } from "../run.ts";
import type { Layout } from "../topology.ts";
import type { IdleOrder } from "./idle.ts";

const PROGRAM = fileURLToPath(new URL("idle.ts", import.meta.url));

export interface Idle {
  /** How many stood when all had been tried. */
  open: number;
  end(): Promise<void>;
}

/** Opens connections from the machine outside that say nothing, and holds them. */
export async function startIdle(layout: Layout, order: IdleOrder): Promise<Idle> {
  const command = ["bash", "-c", 'ulimit -Sn "$(ulimit -Hn)"; exec "$0" "$1"', process.execPath, PROGRAM];
  const [program, ...args] = inMachine(layout.machines.outside, command);
  const child = spawn(program, args, { env: SYSTEM_ENV, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const said = await Promise.race([once(lines, "line"), ended.then(() => undefined)]);
  if (!said) throw new Error("the idle connections ended before they stood");
  return {
    open: Number(said[0]),
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
