// Which lessons share a deploy. A deploy takes longer than most lessons' steps.
import { isDeepStrictEqual } from "node:util";

import type { Overrides } from "../parts/lab-config.ts";
import { type Lesson, type Missing, waysOf, type Way } from "./lesson.ts";

/** A half of a lesson; without a way it is the one with the guard. */
export interface Planned {
  lesson: Lesson;
  way?: Way;
}

/** One deploy, and the halves that are played on it, in this order. */
export interface Round {
  /** Whether the guards are there. */
  guard: boolean;
  halves: readonly Planned[];
}

/** Lessons that share deploys, and their rounds one after the other. */
export interface Group {
  lessons: readonly Lesson[];
  rounds: readonly Round[];
}

/**
 * Plans lessons so that few deploys are needed, and none sees the outage of another one.
 *
 * @param options.cut one half of each alone: where the config leaves the guard out, the one without
 *   it, in one way; where the code does, the one with it, but for what begins with a mistake
 */
export function planOf(lessons: readonly Lesson[], { cut }: { cut?: Missing } = {}): Group[] {
  const groups = Map.groupBy(lessons, ({ number, config, apart, deploys }) =>
    deploys === false ? `${number}` : apart ? JSON.stringify(config) : "",
  );
  return [...groups.values()].map((members) => ({ lessons: members, rounds: roundsOf(members, cut) }));
}

function roundsOf(lessons: readonly Lesson[], cut?: Missing): Round[] {
  if (cut === "from the code") {
    const isAsGuarded = ({ mistaken }: Lesson) => mistaken === undefined;
    const halves = lessons.filter(isAsGuarded).map((lesson) => ({ lesson }));
    const mistakes = lessons.filter(({ mistaken }) => mistaken);
    return [
      ...shared(halves).map((round) => ({ ...round, guard: true })),
      ...(mistakes.length > 0 ? roundsOf(mistakes, "from the config") : []),
    ];
  }
  const ways = (lesson: Lesson) => waysOf(lesson).slice(0, cut ? 1 : undefined);
  const all = lessons.flatMap((lesson) => ways(lesson).map((way) => ({ lesson, way })));
  const isAsked = ({ way }: Required<Planned>) => typeof way.config === "function";
  const before = shared(all.filter((half) => !isAsked(half)));
  const after = shared(all.filter(isAsked));
  const held = { guard: true, halves: cut ? [] : inOrder(lessons.map((lesson) => ({ lesson }))) };
  return [...before, ...(cut && after.length === 0 ? [] : [held]), ...after];
}

/** Halves without guards, in as few rounds as they can be. */
function shared(halves: readonly Planned[]): Round[] {
  const rounds: Planned[][] = [];
  for (const half of halves) {
    const fits = (round: Planned[]) => round.every(({ lesson }) => !disturb(lesson, half.lesson));
    const round = rounds.find(fits);
    if (round) round.push(half);
    else rounds.push([half]);
  }
  return rounds.map((round) => ({ guard: false, halves: inOrder(round) }));
}

const disturb = (one: Lesson, other: Lesson): boolean =>
  one === other ||
  (one.when === "last" && other.when === "last") ||
  (one.touches ?? []).some((each) => other.touches?.includes(each));

const PLACES = ["first", undefined, "last"] as const;
const inOrder = (halves: Planned[]): Planned[] =>
  halves.toSorted(
    (one, other) =>
      PLACES.indexOf(one.lesson.when) - PLACES.indexOf(other.lesson.when) ||
      one.lesson.number - other.lesson.number,
  );

/**
 * One config of several: their guards are all left out.
 *
 * @throws Error where two want another value of a key
 */
export function mergedConfig(all: readonly Overrides[]): Overrides {
  const merged: Overrides = {};
  for (const [key, value] of all.flatMap((each) => Object.entries(each))) {
    if (key === GUARDS) merged[key] = { ...(merged[key] as object | undefined), ...(value as object) };
    else if (key in merged && !isDeepStrictEqual(merged[key], value))
      throw new Error(`lessons that share a deploy want different values of ${key}`);
    else merged[key] = value;
  }
  return merged;
}

const GUARDS = "tailwart:withoutGuards";
