import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describeError } from "../../lib/errors.ts";
import type { Bench } from "./bench.ts";
import { LESSONS } from "./index.ts";
import type { Lesson } from "./lesson.ts";

/**
 * Plays lessons, and leaves the stack as its config has it. What is played stands in the lab's
 * state until then: the next run puts back what one that was killed has left.
 *
 * @param say is told what is put back
 * @param all those that a killed run may have played
 */
export async function puttingBack<T>(
  bench: Bench,
  lessons: readonly Lesson[],
  say: (line: string) => void,
  play: () => Promise<T>,
  all: readonly Lesson[] = LESSONS,
): Promise<T> {
  const file = join(bench.lab.layout.stateDir, "lessons-under-way.json");
  for (const { number, restore } of leftBy(file, all)) {
    say(`putting back what a killed replay of lesson ${number} has left`);
    // The lesson itself, where it is played now, tells what is still wrong.
    await restore?.(bench).catch((error: unknown) => say(describeError(error)));
  }
  writeFileSync(file, JSON.stringify(lessons.map(({ number }) => number)));
  try {
    return await play();
  } finally {
    say("putting the stack back as it was");
    await bench.deploy({});
    rmSync(file);
  }
}

function leftBy(file: string, all: readonly Lesson[]): Lesson[] {
  if (!existsSync(file)) return [];
  const numbers = JSON.parse(readFileSync(file, "utf8")) as number[];
  return all.filter(({ number, restore }) => restore && numbers.includes(number));
}
