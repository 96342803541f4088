import type { Lesson } from "./lesson.ts";
import { type Part, wantedOf } from "./stage.ts";

/** Whether a policy must refuse the stack without the guard. */
export const isRefused = ({ refusedBy, refuses }: Lesson): boolean =>
  refuses !== false && refusedBy.length > 0;

/** What must have been played. @param cut only what should hold, and without the guard */
export const neededOf = (lesson: Lesson, cut: boolean): Part["part"][] =>
  cut ? ["with"] : [...(isRefused(lesson) ? (["refused"] as const) : []), "without", "with"];

/** What is wrong with what was seen; undefined where nothing is. */
export function verdict(parts: readonly Part[], needed: readonly Part["part"][]): string | undefined {
  for (const part of parts) {
    const looks = part.steps.filter(({ kind }) => kind === "sees");
    const isHeld = part.part === "with";
    if (looks.length === 0) return `nothing was looked at ${isHeld ? "with" : "without"} the guard`;
    const odd = looks.find(({ is }) => is !== wantedOf(part));
    if (!odd) continue;
    const seen = `${odd.what}: ${odd.seen}`;
    if (part.part === "refused")
      return `no policy of the lesson refuses the stack without the guard (${seen})`;
    if (!isHeld) return `the outage was not reproduced without the guard (${seen})`;
    return odd.is === "outage"
      ? `the outage came with the guard (${seen})`
      : `what should hold with the guard does not (${seen})`;
  }
  const played = new Set(parts.map(({ part }) => part));
  const missing = needed.find((part) => !played.has(part));
  return missing === undefined ? undefined : `the part "${missing}" was not played`;
}

/** The looks that have noticed that a lesson's guard was cut out: where from, and what was seen. */
export const noticedBy = (parts: readonly Part[]): string[] =>
  parts
    .filter(({ part }) => part === "with")
    .flatMap(({ steps }) => steps.filter(({ is }) => is === "outage"))
    .map(({ what, seen }) => `${what}: ${seen}`);
