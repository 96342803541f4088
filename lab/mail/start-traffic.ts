import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { inMachine } from "../machine.ts";
import { SYSTEM_ENV } from "../run.ts";
import type { Layout } from "../topology.ts";
import type { Attempt } from "./ledger.ts";
import type { TrafficOrder } from "./traffic.ts";

const PROGRAM = fileURLToPath(new URL("traffic.ts", import.meta.url));

export interface Traffic {
  /** Grows while it runs. */
  readonly ledger: readonly Attempt[];
  /** The same on disk. */
  readonly file: string;
  /** Resolves when it has ended. @throws Error when it has failed */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Starts mail traffic from the machine outside; the ledger is kept in the lab's folder. */
export function startTraffic(layout: Layout, order: TrafficOrder): Traffic {
  const folder = join(layout.stateDir, "ledgers");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${order.run}.jsonl`);
  const [program, ...args] = inMachine(layout.machines.outside, [process.execPath, PROGRAM]);
  const child = spawn(program, args, { env: SYSTEM_ENV, stdio: ["pipe", "pipe", "pipe"] });
  const ledger: Attempt[] = [];
  const book = createWriteStream(file, { flags: "a" });
  createInterface({ input: child.stdout }).on("line", (line) => {
    ledger.push(JSON.parse(line) as Attempt);
    book.write(`${line}\n`);
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, name) => {
      book.end();
      if (code === 0) resolve();
      else reject(new Error(`the traffic ended with ${name ?? code}: ${words.trim().slice(-500)}`));
    });
  });
  ended.catch(() => undefined);
  return { ledger, file, ended, stop: () => void child.stdin.end() };
}
