// What a person reads while lessons are replayed, and after it.
import { onOneLine, wrap } from "../../lib/wrap.ts";
import { paint } from "../parts/progress.ts";
import type { Lesson } from "./lesson.ts";
import type { Replay } from "./replay.ts";
import type { Listener, Part, Step } from "./stage.ts";
import { noticedBy } from "./verdict.ts";

/** Columns of a terminal. */
const WIDTH = 80;

const PARTS: Readonly<Record<Part["part"], string>> = {
  refused: "the policy pack is asked",
  without: "without the guard",
  with: "with the guard",
};

/** Words in lines of a terminal, each begun by `indent` blanks, the first by `label`. */
const wrapped = (label: string, words: string, indent: number): string =>
  wrap(onOneLine(words), WIDTH, label.padEnd(indent), " ".repeat(indent)).join("\n");

/** Prints each step as it begins and ends. @param print a line, or several */
export function listenerOf(print: (text: string) => void): Listener {
  const told = new Set<Lesson>();
  return {
    lesson(lesson) {
      print(describeLesson(lesson, { cause: !told.has(lesson) }));
      told.add(lesson);
    },
    part: ({ part, way }) => print(`  ${PARTS[part]}${way === "" ? "" : ` (${way})`}`),
    begins: (what) => print(wrapped("    …", what, 6)),
    ended: (step, good) => print(describeStep(step, good)),
  };
}

function describeStep({ kind, what, command, took, expected, seen }: Step, good: boolean): string {
  const mark = good ? paint(32, "✓") : paint(31, "✗");
  const first = wrapped("    - ", `${kind === "deploys" ? "deploys " : ""}${what} (${took} s)`, 6);
  return [
    first.replace("    - ", `    ${mark} `),
    ...(command === undefined ? [] : [wrapped("", command, 8)]),
    ...(expected === undefined ? [] : [wrapped("      expected", expected, 16)]),
    ...(seen === undefined ? [] : [wrapped("      seen", seen, 16)]),
  ].join("\n");
}

/** The line before a part; once with both causes, where the one taken was not the true one. */
function describeLesson({ number, title, cause }: Lesson, tell: { cause: boolean }): string {
  return [
    `lesson ${number}: ${title}`,
    ...(cause && tell.cause
      ? [wrapped("  cause taken", cause.taken, 15), wrapped("  cause found", cause.found, 15)]
      : []),
  ].join("\n");
}

/** The line after it. */
export function describeVerdict({ lesson, seconds, wrong }: Replay): string {
  if (wrong !== undefined) return `${paint(31, "✗")} ${wrapped("", `lesson ${lesson}: ${wrong}`, 2).trim()}`;
  return `${paint(32, "✓")} lesson ${lesson}: the outage came without the guard, and not with it (${seconds} s)`;
}

/** The lines after a lesson whose guard was cut out: which of its looks have noticed that. */
export function describeNoticed({ lesson, parts, wrong }: Replay): string {
  const looks = noticedBy(parts);
  if (looks.length === 0)
    return `${paint(31, "✗")} lesson ${lesson}: no look has noticed that the guard is gone (${wrong ?? "all hold"})`;
  return [
    `${paint(32, "✓")} lesson ${lesson} is red without its guard, noticed by`,
    ...looks.map((look) => wrapped("    -", look, 6)),
  ].join("\n");
}
