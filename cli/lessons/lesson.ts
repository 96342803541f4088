import type { Overrides } from "../parts/lab-config.ts";
import type { Bench } from "./bench.ts";

/** What is found when somebody looks. */
export interface Seen {
  /** In words, with its figures: address and family, errno, milliseconds. */
  words: string;
  /** Whether it is the outage's own symptom, or what holds, or neither. */
  is: "outage" | "held" | "neither";
}

/**
 * How a guard is missing from what should hold: the config leaves it out, or the code that runs has
 * it no more, with the config as it is.
 */
export type Missing = "from the config" | "from the code";

/** A look at what the outage shows itself by. */
export interface Look {
  /** Vantage point and command. @example "edge: bash /dev/tcp/stalwart.tail.test/25" */
  from: string;
  /** What is expected without the guard: the symptom. */
  outage: string;
  /** What is expected with it. */
  held: string;
}

/** One half of a replay while it is played: without the guard, or with it. */
export interface Half {
  readonly bench: Bench;
  /** Whether the guard is there. The steps are the same; only what is seen differs. */
  readonly guard: boolean;
  /** The way in which the guard is left out; "" where there is one way alone. */
  readonly way: string;
  /** Does something to the parts. @param command where and how, as a person would type it */
  does<T>(what: string, command: string, work: () => Promise<T>): Promise<T>;
  /** Looks, and says whether the outage is there. An ask that throws has seen neither. */
  sees(look: Look, ask: () => Promise<Seen>): Promise<Seen>;
}

/** A way to leave the guard out. */
export interface Way {
  name: string;
  /**
   * What the stack's config has then. A function is asked once the stack is deployed with the
   * guard, and so that half comes first.
   */
  config: Overrides | ((bench: Bench) => Promise<Overrides>);
}

/** What lessons could take from one another: it is not as it should be without the guard of one. */
export type Touched = "where mail goes" | "the relay's grant" | ":443" | "the certificate" | "the namespace";

/** A lesson's card, and how it is replayed. */
export interface Lesson {
  number: number;
  /** As its page has it. */
  title: string;
  /** What prevents the outage: one line for the table of lessons. */
  preventedBy: string;
  /** Ids of the policies that come from it. One of them must refuse the stack without the guard. */
  refusedBy: readonly string[];
  /** Whether one of them is asked about the stack without the guard. @default true */
  refuses?: false;
  /** Where the cause that was taken at the time was not the true one: both, a line each. */
  cause?: { taken: string; found: string };
  /** What the stack's config has in both halves. */
  config?: Overrides;
  /** Whether that config is for lessons with the very same alone. @default false */
  apart?: true;
  /** What its missing guard changes, or its steps need: two such never share a deploy without. */
  touches?: readonly Touched[];
  /**
   * When it is played of those that share a deploy: first, where the others build on what it waits
   * for; last, where nothing works after it. @default by its number
   */
  when?: "first" | "last";
  /** Default: one way, the switch `tailwart:withoutGuards` with the lesson's number. */
  ways?: readonly Way[];
  /**
   * Whether the halves are deployed. Where not, `play` itself acts by `half.guard`, the policy is
   * still asked about the way's config, and no deploy is shared. @default true
   */
  deploys?: boolean;
  /**
   * Whether its half without the guard begins with what the guard refuses, such as a config. It
   * begins so also where the guard is cut out of the code. @default false
   */
  mistaken?: true;
  /** What a change of the state must precede the first deploy. */
  prepare?(bench: Bench): Promise<void>;
  /** The steps, the same ones in each half. At least one is a `sees`. */
  play(half: Half): Promise<void>;
  /** Puts back what the steps have changed beside the stack's config. Runs also after a failure. */
  restore?(bench: Bench): Promise<void>;
}

/** The ways in which a lesson's guard is left out. */
export const waysOf = ({ number, ways }: Lesson): readonly Way[] =>
  ways ?? [{ name: "", config: withoutGuard(number) }];

/** The config that leaves a lesson's guard out. @param instead what stands in its place */
export const withoutGuard = (lesson: number, instead: true | string = true): Overrides => ({
  "tailwart:withoutGuards": { [lesson]: instead },
});
