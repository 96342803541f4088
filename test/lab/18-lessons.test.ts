// Outages, replayed on the lab's real parts: each comes without its guard, which a policy refuses,
// and not with it. All of them in `npm run test:full`; here six that share their deploys.
import { beforeAll, expect, test } from "vitest";

import { Bench } from "../../cli/lessons/bench.ts";
import { chosen } from "../../cli/lessons/command.ts";
import { puttingBack } from "../../cli/lessons/put-back.ts";
import { type Replay, replay } from "../../cli/lessons/replay.ts";
import { listenerOf } from "../../cli/lessons/report.ts";
import { lab } from "./lab.ts";

const lessons = chosen(process.env["TAILWART_FULL"] ? [] : ["1", "3", "8", "9", "11", "13"]);

// Together, since those that do not disturb each other share a deploy.
const lines: string[] = [];
let replays: Replay[] = [];
beforeAll(async () => {
  const bench = new Bench(lab);
  const print = (line: string) => void lines.push(line);
  replays = await puttingBack(bench, lessons, print, () => replay(bench, lessons, listenerOf(print)));
}, 2_400_000);

test.each(lessons.map(({ number, title }) => [number, title] as const))(
  "lesson %d (%s): the outage comes without the guard, and not with it",
  (number) => {
    const played = replays.find(({ lesson }) => lesson === number);
    expect(played).toBeDefined();
    expect(played?.wrong, lines.join("\n")).toBeUndefined();
  },
);
