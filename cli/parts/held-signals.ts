import { SIGNALS } from "../../lib/run-command.ts";
import { Interrupted } from "./progress.ts";

/**
 * Milliseconds in which a signal is the one of before: a terminal sends it to the whole group, and
 * npm and tools/entry.mjs pass it on besides.
 */
const SAME_MS = 1000;

/** The work that is under way, and the signal that it was sent. */
let held: { what: string; came?: NodeJS.Signals } | undefined;

/**
 * Does work that leaves something behind when the process dies of a signal, such as temporary
 * folders: the first SIGINT, SIGTERM or SIGHUP ends it at the next `throwIfStopped`, by way of its
 * own clean-up. One that is sent again later ends the process at once, where no engine runs.
 *
 * @param what the work in words, such as "the review"
 * @throws Interrupted when a signal came, also where the work has come to its end
 */
export async function holdingSignals<T>(what: string, work: () => Promise<T>): Promise<T> {
  const mine: NonNullable<typeof held> = { what };
  const release = () => SIGNALS.forEach((name) => process.off(name, hold));
  let first = 0;
  const hold = (name: NodeJS.Signals) => {
    if (mine.came !== undefined) {
      if (Date.now() - first < SAME_MS) return;
      release();
      // A command that is passed its signals (runCommand) has had this one.
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
      return;
    }
    mine.came = name;
    first = Date.now();
    console.error("… stopping, and clearing away; once more ends it at once");
  };
  held = mine;
  for (const name of SIGNALS) process.on(name, hold);
  try {
    const result = await work();
    throwIfStopped();
    return result;
  } finally {
    release();
    held = undefined;
  }
}

/** Between two steps of work that holds signals. @throws Interrupted when one has come */
export function throwIfStopped(): void {
  if (held?.came) throw new Interrupted(held.what, held.came);
}
