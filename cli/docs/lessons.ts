// The lessons' own pages: docs/lessons/README.md's table, and a timeline of each replay.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { table } from "../../lib/markdown.ts";
import { onOneLine, wrap } from "../../lib/wrap.ts";
import { LESSONS } from "../lessons/index.ts";
import type { Replay } from "../lessons/replay.ts";
import type { Part, Step } from "../lessons/stage.ts";
import { type Card, UNPLAYED } from "../lessons/unplayed.ts";
import { svg, text } from "./svg.ts";

/** Between these two lines stands the table. */
const BEGIN = "<!-- The table is made by `npm run docs` from cli/lessons. -->";
const END = "<!-- End of the table. -->";

const pageOf = (number: number) => String(number).padStart(2, "0");

/** Every lesson's card, by number. */
export const cards = (): Card[] =>
  [...LESSONS, ...UNPLAYED.filter(({ number }) => !LESSONS.some((each) => each.number === number))].sort(
    (one, other) => one.number - other.number,
  );

/** docs/lessons/README.md: what is written there, with the table of the cards and the record. */
export function lessonsReadme(folder: string, replays: readonly Replay[]): string {
  const page = readFileSync(join(folder, "README.md"), "utf8");
  const [before = "", rest = ""] = page.split(`${BEGIN}\n`);
  const after = rest.slice(rest.indexOf(END));
  const rows = cards().map((card) => rowOf(card, replays));
  const head = ["#", "lesson", "prevented by", "refused by", "replayed: without the guard, with it"];
  return `${before}${BEGIN}\n\n${table(head, rows)}\n\n${after}`;
}

function rowOf({ number, title, preventedBy, refusedBy }: Card, replays: readonly Replay[]): string[] {
  const played = replays.find(({ lesson }) => lesson === number);
  const page = pageOf(number);
  return [
    `[${number}](${page}.md)`,
    title,
    preventedBy || "not yet",
    refusedBy.map((id) => `\`${id}\``).join(", ") || (preventedBy === "" ? "not yet" : "none"),
    played ? `[${lengthsOf(played)}](${page}.svg)` : "not yet",
  ];
}

const played = ({ parts }: Replay) => parts.filter(({ part }) => part !== "refused");
const lengthsOf = (replay: Replay) =>
  played(replay)
    // Some are played with the guard first.
    .toSorted((one, other) => Number(one.part === "with") - Number(other.part === "with"))
    .map((part) => `${Math.round(endOf(part))} s`)
    .join(", ");

/** When a part's last step has ended, from the first one that is no deploy on. */
function endOf(part: Part): number {
  const last = part.steps.at(-1);
  return last ? last.at + last.took - startOf(part) : 0;
}
const startOf = ({ steps }: Part): number => steps.find(({ kind }) => kind !== "deploys")?.at ?? 0;

const WIDTH = 900;
const LEFT = 24;
/** Characters of a line of the picture. */
const COLUMNS = 118;
const LINE = 15;

/** The timeline of one replay: what was done and seen in each half, second by second. */
export function timeline(replay: Replay): string {
  const title = `Lesson ${replay.lesson}: ${replay.title}`;
  const parts: string[] = [text(LEFT, 30, [title], "head")];
  let y = 52;
  const scale = (WIDTH - 2 * LEFT) / Math.max(1, ...played(replay).map(endOf));
  const put = (words: string, kind: string, indent: number) => {
    const lines = wrap(onOneLine(words), Math.ceil(COLUMNS - indent / 7));
    parts.push(text(LEFT + indent, y, lines, kind));
    y += lines.length * LINE;
  };
  for (const part of replay.parts) {
    const { way, steps } = part;
    const of = { refused: "The policy pack is asked", without: "Without the guard", with: "With the guard" };
    y += 8;
    put(`${of[part.part]}${way === "" ? "" : `: ${way}`}`, "head", 0);
    const shown = steps.filter(({ kind }) => kind !== "deploys");
    const deploy = steps.find(({ kind }) => kind === "deploys");
    if (deploy?.with) put(`deployed at once ${deploy.what}`, "", 0);
    if (part.part !== "refused") {
      parts.push(laneOf(part, shown, y, scale));
      y += 54;
    }
    for (const [index, step] of shown.entries()) {
      put(`${index + 1}. ${step.what}`, "", 0);
      if (step.seen !== undefined) put(`${step.seen}`, step.is === "outage" ? "note" : "port", 18);
    }
  }
  return svg({ width: WIDTH, height: y + 12 }, title, parts);
}

/** A lane with a box for each step, numbered, as long as it took, and the seconds below it. */
function laneOf(part: Part, steps: readonly Step[], y: number, scale: number): string {
  const start = startOf(part);
  const boxes = steps.map((step, index) => {
    const x = LEFT + (step.at - start) * scale;
    const width = Math.max(3, step.took * scale);
    const fill = step.kind === "does" ? "#52606d" : step.is === "outage" ? "#9b1c1c" : "#0b5394";
    const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="10" fill="${fill}"/>`;
    return `${box}\n${text(Math.round(x), y + 23, [String(index + 1)])}`;
  });
  const end = LEFT + endOf(part) * scale;
  const line = `<line x1="${LEFT}" y1="${y + 10}" x2="${end.toFixed(1)}" y2="${y + 10}" stroke="#52606d"/>`;
  return [line, ...boxes, text(Math.round(end), y + 36, [`${endOf(part).toFixed(1)} s`], "", "end")].join(
    "\n",
  );
}

/** Every page of the lessons that is made, by its path. */
export function lessonPages(project: string, replays: readonly Replay[]): Record<string, () => string> {
  const folder = join(project, "docs", "lessons");
  return {
    "docs/lessons/README.md": () => lessonsReadme(folder, replays),
    ...Object.fromEntries(
      replays.map((replay) => [`docs/lessons/${pageOf(replay.lesson)}.svg`, () => timeline(replay)]),
    ),
  };
}
