import * as fc from "fast-check";
import { type RunnerTestCase, TestRunner } from "vitest";
import { makeSwitchboard, type Switchboard, SWITCHBOARD } from "./switchboard.ts";

/** What a test found out, as its `meta`. */
export interface Killed {
  /** Ids of the mutants that made it fail. */
  readonly killed: readonly number[];
  /** Ids of the mutants whose place it reaches. */
  readonly reached: readonly number[];
}

declare module "vitest" {
  interface TaskMeta {
    mutation?: Killed;
  }
}

const board: Switchboard = makeSwitchboard();
Object.assign(globalThis, { [SWITCHBOARD]: board });
// Which mutants live must not be a matter of luck.
fc.configureGlobal({ seed: 4, numRuns: 25 });

/**
 * Milliseconds of the processor. A test that takes longer, such as one of long texts, would take as
 * long again for each mutant.
 */
const LONG = 400;

/**
 * Runs each test as it is, and then once for each mutant that is still alive and whose place the
 * test reaches. Whether it passes as it is must not depend on what ran before it: otherwise a
 * mutant could seem to be found by what another one has left behind.
 */
export default class MutationRunner extends TestRunner {
  readonly #dead = new Set<number>();

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test);
    if (!run) throw new Error(`${test.name} has no function`);
    board.reset();
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    // So does one that asks for more time than the others, such as random scripts in a real shell.
    if (test.timeout > this.config.testTimeout || (user + system) / 1000 > LONG) return;
    const reached = [...board.reached].toSorted((a, b) => a - b);
    const killed: number[] = [];
    for (const mutant of reached.filter((id) => !this.#dead.has(id))) {
      board.reset(mutant);
      try {
        await run();
      } catch {
        killed.push(mutant);
        this.#dead.add(mutant);
      }
      // expect.soft throws nothing, and marks the test.
      if (test.result?.state === "fail") {
        if (killed.at(-1) !== mutant) killed.push(mutant);
        this.#dead.add(mutant);
        test.result.state = "run";
        delete test.result.errors;
      }
    }
    board.reset();
    if (killed.length > 0) await run();
    test.meta.mutation = { killed, reached };
  }
}
