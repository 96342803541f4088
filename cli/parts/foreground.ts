import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Runs a program that keeps the terminal and waits for its end: a terminal's Ctrl-C reaches it by
 * itself, and what it then does is its own; SIGTERM and SIGHUP are passed on.
 *
 * @param options.stdin given to its standard input. Default: the terminal's
 * @returns its exit code, 1 where a signal has ended it
 * @throws Error when it cannot be started
 */
export async function inForeground(
  [program = "", ...args]: readonly string[],
  { stdin, cwd, env }: { stdin?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  const input = stdin === undefined ? "inherit" : "pipe";
  const child = spawn(program, args, { cwd, env, stdio: [input, "inherit", "inherit"] });
  child.stdin?.on("error", () => undefined).end(stdin);
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
