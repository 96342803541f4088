import { UserError, wordsOf } from "../lib/errors.ts";

/** Where the lines about the stages go. */
export type Log = (line: string) => void;

/**
 * Runs one stage and reports it in one line: `✓ kvm: dockerd 20.10.24 up (1.8 s)`.
 *
 * @param work returns what to say, or undefined to say nothing
 */
export async function stage(log: Log, name: string, work: () => Promise<string | undefined>): Promise<void> {
  const start = performance.now();
  const time = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const said = await work();
    if (said !== undefined) log(`✓ ${name}: ${said} (${time()})`);
  } catch (error) {
    log(`✗ ${name}: failed after ${time()}`);
    if (error instanceof UserError) throw error;
    throw new Error(`${name}: ${wordsOf(error)}`, { cause: error });
  }
}

/**
 * Runs all at the same time, waits for every one to end, then throws the first error, so that
 * nothing goes on in the background.
 */
export async function inParallel(...works: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
