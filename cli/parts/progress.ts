import { constants } from "node:os";

import { describeError, UserError } from "../../lib/errors.ts";

const color = process.stdout.isTTY && !process.env["NO_COLOR"];
/** Text in a colour, on a terminal. */
export const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Seconds with one decimal, as people read them. */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** Numbered stages: what runs, how far along it is, how long it took. */
export class Progress {
  readonly #total: number;
  readonly #start = Date.now();
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /**
   * Runs one stage and prints its line. The work may return a remark, such as "cached".
   * @throws whatever the work throws, after printing which stage it was
   */
  async stage<T>(
    title: string,
    work: () => Promise<T>,
    remark?: (result: T) => string | undefined,
  ): Promise<T> {
    const at = `[${++this.#done}/${this.#total}]`;
    const start = Date.now();
    console.log(`${at} ${title} …`);
    try {
      const result = await work();
      const note = remark?.(result);
      console.log(`${paint(32, "✓")} ${at} ${title}${note ? `: ${note}` : ""} (${seconds(start)})`);
      return result;
    } catch (error) {
      console.log(`${paint(31, "✗")} ${at} ${title} failed after ${seconds(start)}`);
      throw error;
    }
  }

  /** Time since the first stage. */
  elapsed(): string {
    return seconds(this.#start);
  }
}

/** Somebody has stopped the command, and what it was doing has come to an orderly end. */
export class Interrupted extends UserError {
  /** As the shell has it: 130 after Ctrl-C. */
  readonly exitCode: number;

  constructor(what: string, signal: NodeJS.Signals) {
    super(`${what} was stopped by ${signal}`, {
      hint: "run the same command again to go on, or take all away with: npm run down",
    });
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Runs a command's main part: a user's mistake is printed in words, and the exit code is 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(`${paint(31, "error:")} ${describeError(error)}`);
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  }
}
