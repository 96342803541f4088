import { spawn } from "node:child_process";

/** What a command left behind. */
export interface CommandResult {
  /**
   * Exit status; 124 when the deadline passed, 127 when it could not be started, as the shell has
   * them.
   */
  status: number;
  stdout: string;
  stderr: string;
  /** The signal that this process was sent meanwhile, where `passSignals` was set. */
  interruptedBy?: NodeJS.Signals;
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
  /**
   * Pass each SIGINT, SIGTERM and SIGHUP that this process is sent on, as `signal`, and wait for
   * the command's end instead of dying. It then has a process group of its own: a terminal sends
   * Ctrl-C to a whole group, and Pulumi takes a second one for "stop at once, and leave the lock".
   * Default: false
   */
  passSignals?: boolean;
}

/** Those by which a person or a supervisor ends a command. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a command to its end, without a shell. Never throws: what a status means is the caller's
 * business.
 *
 * @example
 * (await runCommand("docker", ["--host", host, "version"], { deadline: 10_000 })).status === 0
 */
export function runCommand(command: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  const { deadline, stdin = "", env = process.env, cwd, signal = "SIGKILL", show = false } = options;
  const { passSignals = false } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"], detached: passSignals });
    let interruptedBy: NodeJS.Signals | undefined;
    const pass = (name: NodeJS.Signals) => {
      interruptedBy ??= name;
      child.kill(signal);
    };
    if (passSignals) for (const name of SIGNALS) process.on(name, pass);
    const stopPassing = () => SIGNALS.forEach((name) => process.off(name, pass));
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
      stopPassing();
      resolve({ status: 127, stdout, stderr: `${command}: ${error.message}` });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      stopPassing();
      const status = late ? 124 : (code ?? 1);
      resolve({ status, stdout, stderr, ...(interruptedBy ? { interruptedBy } : {}) });
    });
    child.stdin.end(stdin);
  });
}
