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
  /** The signal that ended it. */
  endedBy?: NodeJS.Signals;
  /** Why it could not be started. */
  unstarted?: Error;
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
  /**
   * In a process group of its own, which is ended as a whole: at the deadline, and when this
   * process is sent a signal. Default: false
   */
  wholeGroup?: boolean;
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
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { deadline, stdin = "", env = process.env, cwd, signal = "SIGKILL", show = false } = options;
  const { passSignals = false, wholeGroup = false } = options;
  return new Promise((resolve) => {
    const detached = passSignals || wholeGroup;
    const child = spawn(command, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"], detached });
    const { pid } = child;
    if (wholeGroup && pid !== undefined) endWithUs(pid);
    const end = () => (wholeGroup && pid !== undefined ? endGroup(pid, signal) : child.kill(signal));
    let interruptedBy: NodeJS.Signals | undefined;
    const pass = (name: NodeJS.Signals) => {
      interruptedBy ??= name;
      end();
    };
    if (passSignals) for (const name of SIGNALS) process.on(name, pass);
    const stopPassing = () => SIGNALS.forEach((name) => process.off(name, pass));
    let stdout = "";
    let stderr = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
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
      resolve({ status: 127, stdout, stderr: `${command}: ${error.message}`, unstarted: error });
    });
    child.on("close", (code, endedBy) => {
      clearTimeout(timer);
      stopPassing();
      if (pid !== undefined) groups.delete(pid);
      const status = late ? 124 : (code ?? 1);
      resolve({
        status,
        stdout,
        stderr,
        ...(interruptedBy && { interruptedBy }),
        ...(endedBy && { endedBy }),
      });
    });
    child.stdin.end(stdin);
  });
}

/** Process groups that Ctrl-C on the terminal does not reach by itself. */
const groups = new Set<number>();
let watching = false;

function endWithUs(pid: number): void {
  groups.add(pid);
  if (watching) return;
  watching = true;
  for (const name of SIGNALS)
    process.once(name, () => {
      for (const each of groups) endGroup(each, "SIGKILL");
      // Ends as if nobody had listened, unless somebody else does.
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    });
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
