import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import type { Bench } from "../../../../cli/lessons/bench.ts";
import type { Lesson } from "../../../../cli/lessons/lesson.ts";
import { puttingBack } from "../../../../cli/lessons/put-back.ts";

const stateDir = mkdtempSync(join(tmpdir(), "tailwart-lessons-"));
afterAll(() => rmSync(stateDir, { recursive: true }));
const NOTE = join(stateDir, "lessons-under-way.json");

test("what a killed replay has left is put back by the next one, before anything is played", async () => {
  const done: string[] = [];
  let isKilled = true;
  const deploy = async () => {
    if (isKilled) throw new Error("killed");
    done.push("deployed");
  };
  const bench = { lab: { layout: { stateDir } }, deploy } as unknown as Bench;
  const lesson = (number: number): Lesson => ({
    number,
    title: "A lesson",
    preventedBy: "a guard",
    refusedBy: [],
    play: async () => undefined,
    restore: async () => void done.push(`restored ${number}`),
  });
  const all = [lesson(1), lesson(2)];
  const run = (lessons: Lesson[]) =>
    puttingBack(
      bench,
      lessons,
      () => undefined,
      async () => done.push("played"),
      all,
    );

  await expect(run([lesson(1)])).rejects.toThrow("killed");
  expect(existsSync(NOTE)).toBe(true);
  isKilled = false;
  await run([lesson(2)]);
  expect(done).toEqual(["played", "restored 1", "played", "deployed"]);
  expect(existsSync(NOTE)).toBe(false);
  await run([lesson(2)]);
  expect(done.slice(4)).toEqual(["played", "deployed"]);
});
