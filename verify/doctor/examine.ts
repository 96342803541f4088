import { wordsOf } from "../../lib/errors.ts";
import { type Check, type Finding, unknown } from "../check.ts";
import type { Scene } from "../scene.ts";

/** What became of one check. */
export interface Row extends Finding, Pick<Check<never>, "id" | "from" | "lesson"> {
  /** How long it took, in milliseconds. */
  ms: number;
  /** Id of the failed check because of which this one was not asked. */
  because?: string;
}

/** How checks are run. */
export interface ExamineOptions {
  /** How many are asked at once. Default: 6 */
  atOnce?: number;
  /** Milliseconds for all of them; what has no answer by then is unknown. Default: 14000 */
  within?: number;
  /** Told of each check that begins or is done. */
  onChange?: (running: readonly string[], done: number) => void;
}

/**
 * Asks all checks side by side, each as soon as all that it needs holds. One whose need has failed
 * is not asked: it would tell the same outage again, in other words.
 *
 * Never throws, and never waits longer than `within`.
 */
export async function examine<S extends Scene>(
  checks: readonly Check<S>[],
  scene: S,
  { atOnce = 6, within = 14_000, onChange = () => undefined }: ExamineOptions = {},
): Promise<Row[]> {
  const end = Date.now() + within;
  const slots = new Slots(atOnce);
  const running = new Set<string>();
  let done = 0;
  const rows = new Map<string, Promise<Row>>();

  async function row(check: Check<S>): Promise<Row> {
    const { id, from, lesson, needs, seconds = 10 } = check;
    const causes = await Promise.all(needs.flatMap((need) => rows.get(need) ?? []));
    const cause = causes.find(({ state }) => state === "fail" || state === "unknown");
    const rest = { id, from, lesson };
    if (cause) {
      onChange([...running], ++done);
      const because = cause.because ?? cause.id;
      return { ...rest, ...unknown(`not asked, since ${because} does not hold`), ms: 0, because };
    }
    const leave = await slots.enter();
    const start = Date.now();
    running.add(id);
    onChange([...running], done);
    const limit = Math.max(0, Math.min(seconds * 1000, end - start));
    const finding = await inTime(() => check.look(scene), limit);
    running.delete(id);
    leave();
    onChange([...running], ++done);
    return { ...rest, ...finding, ms: Date.now() - start };
  }

  // A check stands behind what it needs, whose rows are under way by then.
  for (const check of checks) rows.set(check.id, row(check));
  return Promise.all(rows.values());
}

/** A finding within the limit, in milliseconds, whatever the look does. */
async function inTime(look: () => Promise<Finding>, limit: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(unknown(`no answer within ${(limit / 1000).toFixed(1)} s`)), limit);
  });
  try {
    return await Promise.race([look(), late]);
  } catch (error) {
    return unknown(wordsOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** So many at once; the others wait in turn. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  /** @returns what gives the slot back */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}
