/**
 * The switch at run time: instrumented code asks it at each place that can be mutated, and the
 * runner says which mutant is on. So all mutants of a policy are in one build, and one start of
 * vitest runs them all, instead of one start for each.
 */

/** What the instrumented code calls; `first` is the id of the place's first mutant. */
export interface Switchboard {
  /** Places that were reached since the last `reset`, as the ids of their mutants. */
  readonly reached: Set<number>;
  /**
   * Turns one mutant on and the others off. Forgets what was reached, the turns of loops, and what
   * the modules' caches hold: it was worked out under another mutant.
   */
  reset(mutant?: number): void;
  /** A condition: inverted, never true, always true. */
  condition<T>(first: number, value: T): T | boolean;
  /** Part of && or ||: inverted, or left out. */
  operand<T>(first: number, neutral: boolean, value: T): T | boolean;
  /** What a predicate returns: inverted. */
  predicate<T>(first: number, value: T): T | boolean;
  /**
   * A policy's judging function: answering nothing, finding nothing, leaving out what it could not
   * judge.
   */
  judge<Judge extends (...args: never[]) => unknown>(first: number, judge: Judge): Judge;
  /** A turn of a loop; a mutant may make it endless. */
  turn<T>(value: T): T;
  /** A module's own map or set. */
  cache<Cache extends { clear(): void }>(cache: Cache): Cache;
}

/**
 * Where the instrumented code finds it: on globalThis, since code of a test worker has no other
 * place in common with the runner.
 */
export const SWITCHBOARD = "__tailwartMutation";

const MAX_TURNS = 1_000_000;

type Verdict = Partial<Record<"findings" | "notJudged", readonly unknown[]>>;

export function makeSwitchboard(): Switchboard {
  const caches: { clear(): void }[] = [];
  const reached = new Set<number>();
  /** Places that are in `reached` already: they may be passed millions of times. */
  let marked: boolean[] = [];
  let active = NaN;
  let turns = 0;
  const reach = (first: number, count: number): number => {
    if (marked[first] === undefined) {
      marked[first] = true;
      for (let id = first; id < first + count; id++) reached.add(id);
    }
    return active - first;
  };
  const without = (verdict: Verdict, part: "findings" | "notJudged"): Verdict =>
    verdict[part] ? { ...verdict, [part]: [] } : verdict;
  const board: Switchboard = {
    reached,
    reset(mutant = NaN) {
      for (const cache of caches) cache.clear();
      reached.clear();
      marked = [];
      turns = 0;
      active = mutant;
    },
    condition(first, value) {
      const mutant = reach(first, 3);
      return mutant === 0 ? !value : mutant === 1 ? false : mutant === 2 ? true : value;
    },
    operand(first, neutral, value) {
      const mutant = reach(first, 2);
      return mutant === 0 ? !value : mutant === 1 ? neutral : value;
    },
    predicate: (first, value) => (reach(first, 1) === 0 ? !value : value),
    judge: (first, judge) =>
      ((...args: never[]) => {
        const mutant = reach(first, 3);
        if (mutant === 0) return { findings: [], notJudged: [] };
        const verdict = judge(...args);
        if (mutant !== 1 && mutant !== 2) return verdict;
        return Promise.resolve(verdict as Verdict).then((all) =>
          without(all, mutant === 1 ? "findings" : "notJudged"),
        );
      }) as unknown as typeof judge,
    turn(value) {
      if (!Number.isNaN(active) && ++turns > MAX_TURNS) throw new Error("the mutant loops for ever");
      return value;
    },
    cache(cache) {
      caches.push(cache);
      return cache;
    },
  };
  return board;
}
