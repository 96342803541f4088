import { spawn } from "node:child_process";
import { closeSync } from "node:fs";

import { processOf, type ProcessId } from "./processes.ts";

/**
 * Starts a program that goes on when the command that started it has ended: in a session of its own
 * (setsid), which neither Ctrl-C nor the terminal's end reaches.
 *
 * @param env the whole environment
 * @param log an open file for its output; closed here
 * @returns undefined when it has ended already
 */
export async function startDetached(
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  log: number,
): Promise<ProcessId | undefined> {
  try {
    const child = spawn(program, args, { detached: true, cwd: "/", stdio: ["ignore", log, log], env });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    return child.pid === undefined ? undefined : processOf(child.pid);
  } finally {
    closeSync(log);
  }
}
