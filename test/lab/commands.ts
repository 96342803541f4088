import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

import { expect } from "vitest";

import { layoutOf } from "../../lab/topology.ts";
import { allPids, commandLine, environmentOf } from "../../lab/processes.ts";
import { UP_ARGUMENTS } from "./setup.ts";

const PROJECT = join(import.meta.dirname, "..", "..");

/** One of the project's commands while it runs. */
export interface Running {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | NodeJS.Signals>;
}

/**
 * The project's own commands on a lab, as a user would run them, and ways to end them that no user
 * would choose.
 */
export function commandsOn(lab: string) {
  const layout = layoutOf(lab);
  const running = new Set<ChildProcess>();

  function start(script: string, ...args: string[]): Running {
    const more = script === "cli/up.ts" ? UP_ARGUMENTS : [];
    const argv = [join(PROJECT, script), ...args, ...more, "--name", lab];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const ended = new Promise<number | NodeJS.Signals>((resolve) =>
      child.once("exit", (code, signal) => {
        running.delete(child);
        resolve(signal ?? code ?? 1);
      }),
    );
    return { child, said: () => text, ended };
  }

  async function must(script: string, ...args: string[]): Promise<string> {
    const command = start(script, ...args);
    expect(await command.ended, command.said()).toBe(0);
    return command.said();
  }

  /** The Pulumi engine that deploys this lab's stack. */
  const engines = () =>
    allPids().filter((pid) => {
      const argv = commandLine(pid);
      return (
        argv[0]?.endsWith("pulumi") &&
        argv.includes("up") &&
        argv.some((each) => each.includes(layout.stateDir))
      );
    });

  /** Starts `up` and waits until the engine is at work on the stack. */
  async function deploying(): Promise<Running> {
    const up = start("cli/up.ts");
    await expect
      .poll(() => (up.child.exitCode === null ? engines().length : up.said()), {
        timeout: 120_000,
        interval: 50,
      })
      .toBe(1);
    return up;
  }

  /**
   * Kills the commands and all that they have started to reach the stack, at once. The lab's
   * daemons live on: a power cut on the machine that deploys, and not on the hosts.
   */
  function powerCut(): void {
    const commands = [...running].flatMap(({ pid }) => pid ?? []);
    const backend = `PULUMI_BACKEND_URL=file://${join(layout.stateDir, "pulumi")}`;
    // Not by descent: the daemons are children of the very command that has started them.
    const belongs = (pid: number) => environmentOf(pid).includes(backend);
    for (const pid of [...commands, ...allPids().filter(belongs)])
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended in between.
      }
  }

  return { start, must, engines, deploying, powerCut };
}
