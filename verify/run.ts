import { text } from "node:stream/consumers";

import { describeError } from "../lib/errors.ts";

/**
 * Takes JSON from stdin through the steps, in order, and prints what each found. The first that
 * fails is the last, and the exit code is 1 then.
 */
export async function runOnInput<Input>(...steps: ((input: Input) => Promise<string>)[]): Promise<void> {
  try {
    const input = JSON.parse(await text(process.stdin)) as Input;
    for (const step of steps) console.log(`✓ ${await step(input)}`);
  } catch (error) {
    console.error(`✗ ${describeError(error)}`);
    process.exit(1);
  }
}
