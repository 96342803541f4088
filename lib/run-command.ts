import { spawn } from "node:child_process";

/** What a command left behind. */
export interface CommandResult {
  /** Exit status; 124 when the deadline passed, 127 when it could not be started, as the shell has them. */
  status: number;
  stdout: string;
  stderr: string;
}

/** How a command is run. */
export interface CommandOptions {
  /** Milliseconds, after which the command is ended. */
  deadline: number;
  /** Given to its standard input. Secrets go this way, never in `args`. Default: nothing */
  stdin?: string | undefined;
  /** The whole environment. Default: this process's own */
  env?: NodeJS.ProcessEnv;
  /** Working directory. Default: this process's own */
  cwd?: string;
  /** How it is ended at the deadline. Default: SIGKILL */
  signal?: NodeJS.Signals;
  /** Print what it says while it runs, too. Default: false */
  show?: boolean;
}

/**
 * Runs a command to its end, without a shell. Never throws: what a status means is the caller's business.
 *
 * @example (await runCommand("docker", ["--host", host, "version"], { deadline: 10_000 })).status === 0
 */
export function runCommand(command: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  const { deadline, stdin = "", env = process.env, cwd, signal = "SIGKILL", show = false } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill(signal);
    }, deadline);
    // setEncoding keeps a character whole that comes in two pieces.
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (show) process.stdout.write(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (show) process.stderr.write(text);
    });
    child.stdin.on("error", () => undefined); // a command that ends early does not read its input
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ status: 127, stdout, stderr: `${command}: ${error.message}` });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ status: late ? 124 : (code ?? 1), stdout, stderr });
    });
    child.stdin.end(stdin);
  });
}
