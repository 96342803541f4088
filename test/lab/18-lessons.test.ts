// Outages, replayed on the lab's real parts: each comes without its guard, which a policy refuses,
// and not with it. All of them in `npm run test:full`; here those that cover the most.
import { afterAll, expect, test } from "vitest";

import { Bench } from "../../cli/lessons/bench.ts";
import { chosen } from "../../cli/lessons/command.ts";
import { replay } from "../../cli/lessons/replay.ts";
import { listenerOf } from "../../cli/lessons/report.ts";
import { lab } from "./lab.ts";

const lessons = chosen(process.env["TAILWART_FULL"] ? [] : ["1", "3", "6", "11", "13", "16"]);
const bench = new Bench(lab);

afterAll(() => bench.deploy({}), 300_000);

test.each(lessons.map((lesson) => [lesson.number, lesson.title, lesson] as const))(
  "lesson %d (%s): the outage comes without the guard, and not with it",
  async (_number, _title, lesson) => {
    const lines: string[] = [];
    const { wrong } = await replay(
      bench,
      lesson,
      listenerOf((line) => lines.push(line)),
    );
    expect(wrong, lines.join("\n")).toBeUndefined();
  },
  900_000,
);
