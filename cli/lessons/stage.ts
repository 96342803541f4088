import { describeError } from "../../lib/errors.ts";
import { throwIfStopped } from "../parts/held-signals.ts";
import { Interrupted } from "../parts/progress.ts";
import type { Bench } from "./bench.ts";
import type { Half, Lesson, Look, Seen } from "./lesson.ts";

/** One step as it went. */
export interface Step {
  kind: "deploys" | "does" | "sees";
  /** What is done; of a look where from. */
  what: string;
  /** Where and how, as a person would type it. */
  command?: string;
  /** Seconds since the beginning of those that it is played with, and how long it took. */
  at: number;
  took: number;
  /** Other lessons that it was done for as well, once for all of them. */
  with?: number[];
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

/** Is told what goes on. */
export interface Listener {
  lesson(lesson: Lesson): void;
  part(part: Part): void;
  begins(what: string): void;
  ended(step: Step, good: boolean): void;
}

/** Seconds with one decimal. */
export const rounded = (value: number) => Math.round(value * 10) / 10;

/** What a look of a part must have seen. */
export const wantedOf = ({ part }: Part) => (part === "with" ? "held" : "outage");

/** Plays one part, and notes each of its steps. */
export class Stage implements Half {
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

  does<T>(what: string, command: string, work: () => Promise<T>): Promise<T> {
    return this.#step({ kind: "does", what, command }, work);
  }

  async sees(look: Look, ask: () => Promise<Seen>): Promise<Seen> {
    const expected = wantedOf(this.#part) === "held" ? look.held : look.outage;
    return this.#step({ kind: "sees", what: look.from, expected }, () =>
      ask().catch((error: unknown): Seen => {
        if (error instanceof Interrupted) throw error;
        return { words: `it could not be seen: ${describeError(error)}`, is: "neither" };
      }),
    );
  }

  async #step<T>(step: Omit<Step, "at" | "took">, work: () => Promise<T>): Promise<T> {
    throwIfStopped();
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
        good = is === wantedOf(this.#part);
      } else good = true;
      return result;
    } finally {
      noted.took = rounded(this.#seconds() - at);
      this.#listener.ended(noted, good);
    }
  }
}
