import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { cards, lessonPages, lessonsReadme, timeline } from "../../../../cli/docs/lessons.ts";
import { LESSONS } from "../../../../cli/lessons/index.ts";
import { recorded, withReplays } from "../../../../cli/lessons/record.ts";
import type { Replay } from "../../../../cli/lessons/replay.ts";
import type { Step } from "../../../../cli/lessons/stage.ts";
import { UNPLAYED } from "../../../../cli/lessons/unplayed.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "tailwart-lessons-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const step = (more: Partial<Step>): Step => ({
  kind: "does",
  what: "it is stopped",
  at: 40,
  took: 1,
  ...more,
});
const REPLAY: Replay = {
  lesson: 13,
  title: "A restarted sidecar orphans its namespace",
  seconds: 90,
  parts: [
    {
      part: "without",
      way: "",
      steps: [
        step({ kind: "deploys", what: "without the guard", at: 8, took: 31 }),
        step({}),
        step({
          kind: "sees",
          what: "edge: dial",
          at: 41,
          took: 30,
          seen: "ECONNREFUSED <111>",
          is: "outage",
        }),
      ],
    },
    {
      part: "with",
      way: "",
      steps: [
        step({}),
        step({ kind: "sees", what: "edge: dial", at: 41, took: 4.6, seen: "open", is: "held" }),
      ],
    },
  ],
};

test("every lesson has one card, whether it is replayed or not", () => {
  expect(cards().map(({ number }) => number)).toEqual([...new Array(20).keys()].map((at) => at + 1));
  for (const { number } of UNPLAYED) expect(LESSONS.map((each) => each.number)).not.toContain(number);
});

test("the table says how long each half of the last replay was, and leaves the words around it", () => {
  const [begin, end] = ["<!-- The table is made", "<!-- End of the table. -->"];
  const words = `# The lessons\n\n${begin} by \`npm run docs\` from cli/lessons. -->\nold\n${end}\n\nMore.\n`;
  writeFileSync(join(FOLDER, "README.md"), words);
  const page = lessonsReadme(FOLDER, [REPLAY]);
  expect(page).toMatch(/^# The lessons\n\n<!-- The table/);
  expect(page).toMatch(/<!-- End of the table\. -->\n\nMore\.\n$/);
  expect(page).toMatch(/\[13\]\(13\.md\) .* \| \[31 s, 6 s\]\(13\.svg\) \|\n/);
  expect(page).toMatch(/\[20\]\(20\.md\) .* \| Postgres gives a connection up .* \| not yet \|\n/);
  expect(page).not.toContain("\nold\n");
  writeFileSync(join(FOLDER, "README.md"), page);
  expect(lessonsReadme(FOLDER, [REPLAY])).toBe(page);
  expect(lessonsReadme(FOLDER, [{ ...REPLAY, parts: REPLAY.parts.toReversed() }])).toBe(page);
});

test("the timeline shows each step of both halves, and what was seen", () => {
  const picture = timeline(REPLAY);
  expect(picture).toContain("<title>Lesson 13: A restarted sidecar orphans its namespace</title>");
  for (const words of ["Without the guard", "1. it is stopped", "2. edge: dial", "31.0 s", "5.6 s"])
    expect(picture).toContain(words);
  expect(picture).toContain("ECONNREFUSED &lt;111&gt;");
  expect(picture).not.toContain("2. without");
  expect(Object.keys(lessonPages(FOLDER, [REPLAY]))).toEqual([
    "docs/lessons/README.md",
    "docs/lessons/13.svg",
  ]);
});

test("a replay takes the place of the same lesson's on record, and of no other's", () => {
  const file = join(FOLDER, "replays.json");
  expect(recorded(file)).toEqual([]);
  writeFileSync(file, withReplays([{ ...REPLAY, lesson: 16 }, REPLAY], file));
  writeFileSync(file, withReplays([{ ...REPLAY, seconds: 5 }], file));
  expect(recorded(file).map(({ lesson, seconds }) => [lesson, seconds])).toEqual([
    [13, 5],
    [16, 90],
  ]);
  expect(readFileSync(file, "utf8").endsWith("]\n")).toBe(true);
});
