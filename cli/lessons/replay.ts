// Plays a lesson: without its guard, then with it. What it returns is what was seen.
import { describeError } from "../../lib/errors.ts";
import { Interrupted } from "../parts/progress.ts";
import type { Bench } from "./bench.ts";
import { type Half, type Lesson, type Look, type Seen, waysOf, type Way } from "./lesson.ts";

/** One step as it went. */
export interface Step {
  kind: "deploys" | "does" | "sees";
  /** What is done; of a look where from. */
  what: string;
  /** Where and how, as a person would type it. */
  command?: string;
  /** Seconds since the lesson's beginning, and how long it took. */
  at: number;
  took: number;
  expected?: string;
  seen?: string;
  is?: Seen["is"];
}

/** What is played: the pack is asked, or a half. */
export interface Part {
  part: "refused" | "without" | "with";
  /** How the guard was left out, where there are several ways. */
  way: string;
  steps: Step[];
}

/** A lesson as it was replayed. */
export interface Replay {
  lesson: number;
  title: string;
  parts: Part[];
  seconds: number;
  /** Undefined when the lesson is replayed: the outage came without the guard, and not with it. */
  wrong?: string;
}

/** Is told what goes on. */
export interface Listener {
  part(part: Part): void;
  begins(what: string): void;
  ended(step: Step, good: boolean): void;
}

/**
 * Replays a lesson.
 *
 * @param options.cut deploys the half that should hold without the guard as well: that must be
 *   noticed
 * @throws Interrupted after Ctrl-C and the like; whatever else goes wrong makes the lesson red
 */
export async function replay(
  bench: Bench,
  lesson: Lesson,
  listener: Listener,
  { cut = false } = {},
): Promise<Replay> {
  const start = performance.now();
  const parts: Part[] = [];
  const seconds = () => rounded((performance.now() - start) / 1000);
  let failure: string | undefined;
  try {
    if (lesson.prepare) listener.begins("what it needs before");
    await lesson.prepare?.(bench);
    await play(bench, lesson, parts, seconds, listener, cut);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    failure = describeError(error);
  } finally {
    // Also after a failure, and its own failure is one of the lesson.
    await lesson.restore?.(bench).catch((error: unknown) => (failure ??= describeError(error)));
  }
  const wrong = failure ?? verdict(parts, neededOf(lesson, cut));
  const { number, title } = lesson;
  return { lesson: number, title, parts, seconds: seconds(), ...(wrong !== undefined && { wrong }) };
}

const rounded = (value: number) => Math.round(value * 10) / 10;

async function play(
  bench: Bench,
  lesson: Lesson,
  parts: Part[],
  seconds: () => number,
  listener: Listener,
  cut: boolean,
): Promise<void> {
  const { config = {}, deploys = true, number } = lesson;
  const begin = (part: Part["part"], way = ""): Stage => {
    parts.push({ part, way, steps: [] });
    listener.part(parts.at(-1) as Part);
    return new Stage(bench, parts.at(-1) as Part, part === "with" && !cut, seconds, listener);
  };
  const ways = waysOf(lesson);
  for (const way of cut ? ways.slice(0, 1) : ways) {
    const without = { ...config, ...(await configOf(way, bench)) };
    if (isRefused(lesson) && !cut) await asksPack(begin("refused", way.name), lesson, without);
    // Cut: played as if the guard were there, and it is not.
    const half = begin(cut ? "with" : "without", way.name);
    if (deploys)
      await half.deploys(`without lesson ${number}'s guard`, () => bench.deploy(without, { pack: false }));
    await lesson.play(half);
  }
  if (cut) return;
  const half = begin("with");
  if (deploys) await half.deploys(`with lesson ${number}'s guard`, () => bench.deploy(config));
  await lesson.play(half);
}

const configOf = async ({ config }: Way, bench: Bench) =>
  typeof config === "function" ? config(bench) : config;

/** The second leg: that a policy refuses what the half without the guard deploys. */
async function asksPack(stage: Stage, lesson: Lesson, without: Record<string, unknown>): Promise<void> {
  const look: Look = {
    from: "operator: pulumi preview --policy-pack policies",
    outage: `refused by ${lesson.refusedBy.join(" or ")}`,
    held: "",
  };
  await stage.sees(look, async () => {
    const refusing = await stage.bench.refusals(without);
    const own = refusing.filter((policy) => lesson.refusedBy.includes(policy));
    const words = refusing.length > 0 ? `refused by ${refusing.join(", ")}` : "no policy refuses it";
    return { words, is: own.length > 0 ? "outage" : "neither" };
  });
}

/** Whether a policy must refuse the stack without the guard. */
const isRefused = ({ refusedBy, refuses }: Lesson): boolean => refuses !== false && refusedBy.length > 0;

/** What must have been played. */
const neededOf = (lesson: Lesson, cut: boolean): Part["part"][] =>
  cut ? ["with"] : [...(isRefused(lesson) ? (["refused"] as const) : []), "without", "with"];

/** What is wrong with what was seen; undefined where nothing is. */
export function verdict(parts: readonly Part[], needed: readonly Part["part"][]): string | undefined {
  for (const { part, steps } of parts) {
    const looks = steps.filter(({ kind }) => kind === "sees");
    if (looks.length === 0) return `nothing was looked at ${part === "with" ? "with" : "without"} the guard`;
    const wanted = part === "with" ? "held" : "outage";
    const odd = looks.find(({ is }) => is !== wanted);
    if (!odd) continue;
    const seen = `${odd.what}: ${odd.seen}`;
    if (part === "refused") return `no policy of the lesson refuses the stack without the guard (${seen})`;
    if (part === "without") return `the outage was not reproduced without the guard (${seen})`;
    return odd.is === "outage"
      ? `the outage came with the guard (${seen})`
      : `what should hold with the guard does not (${seen})`;
  }
  const played = new Set(parts.map(({ part }) => part));
  const missing = needed.find((part) => !played.has(part));
  return missing === undefined ? undefined : `the part "${missing}" was not played`;
}

/** Notes each step of one part. */
class Stage implements Half {
  readonly bench: Bench;
  readonly guard: boolean;
  readonly #part: Part;
  readonly #seconds: () => number;
  readonly #listener: Listener;

  constructor(bench: Bench, part: Part, guard: boolean, seconds: () => number, listener: Listener) {
    this.bench = bench;
    this.guard = guard;
    this.#part = part;
    this.#seconds = seconds;
    this.#listener = listener;
  }

  get way(): string {
    return this.#part.way;
  }

  deploys<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#step({ kind: "deploys", what, command: "operator: pulumi up" }, work);
  }

  does<T>(what: string, command: string, work: () => Promise<T>): Promise<T> {
    return this.#step({ kind: "does", what, command }, work);
  }

  async sees(look: Look, ask: () => Promise<Seen>): Promise<Seen> {
    const expected = this.#part.part === "with" ? look.held : look.outage;
    return this.#step({ kind: "sees", what: look.from, expected }, () =>
      ask().catch((error: unknown): Seen => {
        if (error instanceof Interrupted) throw error;
        return { words: `it could not be seen: ${describeError(error)}`, is: "neither" };
      }),
    );
  }

  async #step<T>(step: Omit<Step, "at" | "took">, work: () => Promise<T>): Promise<T> {
    const at = this.#seconds();
    const noted: Step = { ...step, at, took: 0 };
    this.#part.steps.push(noted);
    this.#listener.begins(step.what);
    let good = false;
    try {
      const result = await work();
      if (step.kind === "sees") {
        const { words, is } = result as Seen;
        Object.assign(noted, { seen: words, is });
        good = is === (this.#part.part === "with" ? "held" : "outage");
      } else good = true;
      return result;
    } finally {
      noted.took = rounded(this.#seconds() - at);
      this.#listener.ended(noted, good);
    }
  }
}
