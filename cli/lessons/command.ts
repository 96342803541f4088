// `npm run lab -- lessons`: replays outages on the lab's real parts, without their guard and with
// it.
import { writeFileSync } from "node:fs";

import { UserError } from "../../lib/errors.ts";
import { settleInterrupted } from "../parts/interrupted.ts";
import { openRunningLab } from "../parts/open-lab.ts";
import { seconds } from "../parts/progress.ts";
import { Bench } from "./bench.ts";
import { LESSONS } from "./index.ts";
import type { Lesson } from "./lesson.ts";
import { RECORD, withReplays } from "./record.ts";
import { type Replay, replay } from "./replay.ts";
import { describeLesson, describeVerdict, listenerOf } from "./report.ts";

export interface LessonsOptions {
  /** The replays as JSON on standard output; what goes on then goes to standard error. */
  json: boolean;
  /** Write them into the record that the lessons' pages are made from. */
  record: boolean;
  /** Leave the guard out of both halves: each lesson must be red. */
  cut: boolean;
}

/**
 * Which lessons are meant.
 *
 * @param words their numbers; none for all
 * @throws UserError for a number that has no replay
 */
export function chosen(words: readonly string[], all: readonly Lesson[] = LESSONS): readonly Lesson[] {
  for (const word of words)
    if (!all.some(({ number }) => String(number) === word))
      throw new UserError(`"${word}" is no lesson with a replay`, {
        path: "lessons",
        hint: `write one of: ${all.map(({ number }) => number).join(", ")}`,
      });
  const wanted = words.length === 0 ? all : all.filter(({ number }) => words.includes(String(number)));
  // Those with a config of their own last, and together: it is deployed once.
  const key = ({ config = {} }: Lesson) => JSON.stringify(config);
  return [...wanted].sort((one, other) => key(one).length - key(other).length);
}

/** Whether a lesson whose guard was cut out has seen the outage. */
const noticed = ({ parts }: Replay) => parts.some(({ steps }) => steps.some(({ is }) => is === "outage"));

/** Replays lessons on a running lab. @returns the exit code: 0, or 1 where one is red */
export async function replayLessons(
  name: string,
  lessons: readonly Lesson[],
  { json, record, cut }: LessonsOptions,
): Promise<number> {
  const start = Date.now();
  const print = json ? console.error : console.log;
  const lab = await openRunningLab(name);
  const settled = await settleInterrupted(lab.stack, (line) => print(`… ${line}`));
  if (settled !== undefined) print(`… ${settled}`);
  const bench = new Bench(lab);
  const replays: Replay[] = [];
  try {
    for (const lesson of lessons) {
      print(describeLesson(lesson));
      const played = await replay(bench, lesson, listenerOf(print), { cut });
      print(`${describeVerdict(played)}\n`);
      replays.push(played);
    }
  } finally {
    print("… putting the stack back as it was");
    await bench.deploy({});
  }
  if (json) console.log(JSON.stringify(replays, null, 2));
  if (record) writeFileSync(RECORD, withReplays(replays));
  const bad = replays.filter(cut ? (each) => !noticed(each) : ({ wrong }) => wrong !== undefined);
  const what = cut ? "without their guards, noticed" : "replayed";
  print(`${replays.length - bad.length} of ${replays.length} lessons ${what} (${seconds(start)})`);
  return bad.length > 0 ? 1 : 0;
}
