// `npm run lab -- lessons`: replays outages on the lab's real parts, without their guard and with
// it.
import { writeFileSync } from "node:fs";

import { UserError } from "../../lib/errors.ts";
import { settleInterrupted } from "../parts/interrupted.ts";
import { holdingSignals } from "../parts/held-signals.ts";
import { openRunningLab } from "../parts/open-lab.ts";
import { seconds } from "../parts/progress.ts";
import { Bench } from "./bench.ts";
import { LESSONS } from "./index.ts";
import type { Lesson, Missing } from "./lesson.ts";
import { puttingBack } from "./put-back.ts";
import { RECORD, withReplays } from "./record.ts";
import { replay } from "./replay.ts";
import { describeNoticed, describeVerdict, listenerOf } from "./report.ts";
import { noticedBy } from "./verdict.ts";

export interface LessonsOptions {
  /** The replays as JSON on standard output; what goes on then goes to standard error. */
  json: boolean;
  /** Write them into the record that the lessons' pages are made from. */
  record: boolean;
  /**
   * Play what should hold without the guard: each lesson must be red. Where the code that runs has
   * it no more, the stack stays as that code has deployed it.
   */
  cut?: Missing;
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
  return words.length === 0 ? all : all.filter(({ number }) => words.includes(String(number)));
}

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
  const bench = new Bench(lab, { switches: cut !== "from the code" });
  const say = (line: string) => print(`… ${line}`);
  const play = () => replay(bench, lessons, listenerOf(print), cut ? { cut } : {});
  const replays = await holdingSignals("the replay", () =>
    cut === "from the code" ? play() : puttingBack(bench, lessons, say, play),
  );
  for (const each of replays) print(cut ? describeNoticed(each) : describeVerdict(each));
  if (json) console.log(JSON.stringify(replays, null, 2));
  if (record) writeFileSync(RECORD, withReplays(replays.filter(({ wrong }) => wrong === undefined)));
  const bad = replays.filter(({ wrong, parts }) =>
    cut ? noticedBy(parts).length === 0 : wrong !== undefined,
  );
  const what = cut ? "without their guards, noticed" : "replayed";
  print(`${replays.length - bad.length} of ${replays.length} lessons ${what} (${seconds(start)})`);
  return bad.length > 0 ? 1 : 0;
}
