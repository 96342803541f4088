// Plays lessons: without their guards, and with them. What it returns is what was seen.
import { describeError } from "../../lib/errors.ts";
import { Interrupted } from "../parts/progress.ts";
import type { Bench } from "./bench.ts";
import type { Lesson, Missing } from "./lesson.ts";
import { type Group, mergedConfig, type Planned, planOf, type Round } from "./plan.ts";
import { type Listener, type Part, rounded, Stage, type Step } from "./stage.ts";
import { isRefused, neededOf, verdict } from "./verdict.ts";

/** A lesson as it was replayed. */
export interface Replay {
  lesson: number;
  title: string;
  parts: Part[];
  /** What its steps took; of one that was done for several lessons, its share. */
  seconds: number;
  /** Undefined when the lesson is replayed: the outage came without the guard, and not with it. */
  wrong?: string;
}

/** A lesson while it is played. */
interface Played {
  lesson: Lesson;
  parts: Part[];
  /** What went wrong beside what was seen; nothing more is played then. */
  failure?: string;
  /** Whether what it has changed is put back. */
  isBack?: true;
}

/** What all of it is played with. */
interface Table {
  bench: Bench;
  listener: Listener;
  cut: Missing | undefined;
  seconds: () => number;
}

/**
 * Replays lessons; those that do not disturb each other share a deploy.
 *
 * @param options.cut plays what should hold without the guard, and nothing else: that must be
 *   noticed. Where the code has it no more, the bench must not leave it out of the config as well
 * @throws Interrupted after Ctrl-C and the like; whatever else goes wrong makes its lessons red
 */
export async function replay(
  bench: Bench,
  lessons: readonly Lesson[],
  listener: Listener,
  { cut }: { cut?: Missing } = {},
): Promise<Replay[]> {
  const replays: Replay[] = [];
  for (const group of planOf(lessons, { cut })) {
    const start = performance.now();
    const seconds = () => rounded((performance.now() - start) / 1000);
    const played = await playGroup({ bench, listener, cut, seconds }, group);
    replays.push(...played.map((each) => replayOf(each, cut)));
  }
  return replays.toSorted((one, other) => one.lesson - other.lesson);
}

function replayOf({ lesson, parts, failure }: Played, cut: Missing | undefined): Replay {
  const { number, title } = lesson;
  const steps = parts.flatMap((part) => part.steps);
  const seconds = steps.reduce((sum, step) => sum + step.took / (1 + (step.with ?? []).length), 0);
  const wrong = failure ?? verdict(parts, neededOf(lesson, cut !== undefined));
  return {
    lesson: number,
    title,
    parts,
    seconds: rounded(seconds),
    ...(wrong !== undefined && { wrong }),
  };
}

async function playGroup(table: Table, { lessons, rounds }: Group): Promise<Played[]> {
  const { bench, listener } = table;
  const played: Played[] = lessons.map((lesson) => ({ lesson, parts: [] }));
  try {
    for (const each of played)
      await unlessItFails([each], async () => {
        if (each.lesson.prepare) listener.begins(`what lesson ${each.lesson.number} needs before`);
        await each.lesson.prepare?.(bench);
      });
    for (const round of rounds) await playRound(table, round, played);
  } finally {
    for (const each of played) await putBack(bench, each);
  }
  return played;
}

/** Also after a failure, and its own failure is one of the lesson. */
async function putBack(bench: Bench, played: Played): Promise<void> {
  if (played.isBack) return;
  played.isBack = true;
  await played.lesson.restore?.(bench).catch((error: unknown) => {
    played.failure ??= describeError(error);
  });
}

/** Does what lessons need; where it fails, each of them has. */
async function unlessItFails<T>(lessons: readonly Played[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    for (const each of lessons) each.failure ??= describeError(error);
    return undefined;
  }
}

/** A half that is played now. */
type Playing = Planned & { by: Played };

async function playRound(table: Table, { guard, halves }: Round, played: readonly Played[]): Promise<void> {
  const { bench, listener, cut, seconds } = table;
  const sound = played.filter(({ failure }) => failure === undefined);
  const playing = halves.flatMap((half) => {
    const by = sound.find(({ lesson }) => lesson === half.lesson);
    return by ? [{ ...half, by }] : [];
  });
  // Without any half it is deployed for the rounds after it.
  const concerned = halves.length === 0 ? sound : playing.map(({ by }) => by);
  if (concerned.length === 0) return;
  const config = await unlessItFails(concerned, () => configOf(bench, concerned, playing));
  if (config === undefined) return;
  if (!guard && !cut) await askPack(table, playing, config);

  const deploy = await unlessItFails(concerned, () => deployed(table, guard, concerned, config));
  for (const { lesson, way, by } of playing) {
    if (by.failure !== undefined) continue;
    const part: Part = { part: guard || cut ? "with" : "without", way: way?.name ?? "", steps: [] };
    if (deploy) part.steps.push(sharing(deploy, lesson, concerned));
    by.parts.push(part);
    listener.lesson(lesson);
    listener.part(part);
    const stage = new Stage(bench, part, guard, seconds, listener);
    await unlessItFails([by], () => lesson.play(stage));
    if (by.failure !== undefined) await putBack(bench, by);
  }
}

async function configOf(bench: Bench, concerned: readonly Played[], playing: readonly Playing[]) {
  const ways = await Promise.all(
    playing.map(({ way }) => (typeof way?.config === "function" ? way.config(bench) : (way?.config ?? {}))),
  );
  return mergedConfig([...concerned.map(({ lesson }) => lesson.config ?? {}), ...ways]);
}

/** @example "without the guards of lessons 1, 3 and 11" */
function wordsOf(guard: boolean, lessons: readonly Lesson[]): string {
  const numbers = lessons.map(({ number }) => String(number));
  const all = new Intl.ListFormat("en-GB").format(numbers);
  const which = numbers.length === 1 ? `lesson ${all}'s guard` : `the guards of lessons ${all}`;
  return `${guard ? "with" : "without"} ${which}`;
}

/** A step as one of those has it for whom it was done at once. */
function sharing(step: Step, lesson: Lesson, all: readonly { lesson: Lesson }[]): Step {
  const others = all.flatMap((each) => (each.lesson === lesson ? [] : [each.lesson.number]));
  return { ...step, ...(others.length > 0 && { with: others }) };
}

/** Deploys for all who play then; undefined where their steps do that. */
async function deployed(
  { bench, listener, cut, seconds }: Table,
  guard: boolean,
  concerned: readonly Played[],
  config: Record<string, unknown>,
): Promise<Step | undefined> {
  const lessons = concerned.map(({ lesson }) => lesson);
  if (lessons.some(({ deploys }) => deploys === false)) return undefined;
  const what = wordsOf(guard, lessons);
  const step: Step = { kind: "deploys", what, command: "operator: pulumi up", at: seconds(), took: 0 };
  listener.begins(what);
  let good = false;
  try {
    await bench.deploy(config, { pack: guard && !cut });
    good = true;
  } finally {
    step.took = rounded(seconds() - step.at);
    listener.ended(step, good);
  }
  return step;
}

/** The second leg: that a policy of each lesson refuses what is deployed without its guard. */
async function askPack(
  { bench, listener, seconds }: Table,
  playing: readonly Playing[],
  config: Record<string, unknown>,
): Promise<void> {
  const asking = playing.filter(({ lesson }) => isRefused(lesson));
  if (asking.length === 0) return;
  const what = `operator: pulumi preview --policy-pack policies, ${wordsOf(
    false,
    playing.map(({ lesson }) => lesson),
  )}`;
  const at = seconds();
  listener.begins(what);
  const all = asking.map(({ by }) => by);
  const refusing = await unlessItFails(all, () => bench.refusals(config));
  if (refusing === undefined) return;
  const took = rounded(seconds() - at);
  for (const { lesson, way, by } of asking) {
    const own = refusing.filter((policy) => lesson.refusedBy.includes(policy));
    const seen = refusing.length > 0 ? `refused by ${refusing.join(", ")}` : "no policy refuses it";
    const expected = `refused by ${lesson.refusedBy.join(" or ")}`;
    const is = own.length > 0 ? ("outage" as const) : ("neither" as const);
    const step = sharing({ kind: "sees", what, at, took, expected, seen, is }, lesson, asking);
    const part: Part = { part: "refused", way: way?.name ?? "", steps: [step] };
    by.parts.push(part);
    listener.lesson(lesson);
    listener.part(part);
    listener.ended(step, is === "outage");
  }
}
