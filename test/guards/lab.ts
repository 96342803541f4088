import { Bench } from "../../cli/lessons/bench.ts";
import { LESSONS } from "../../cli/lessons/index.ts";
import type { Replay } from "../../cli/lessons/replay.ts";
import { noticedBy } from "../../cli/lessons/verdict.ts";
import { openRunningLab } from "../../cli/parts/open-lab.ts";
import { Interrupted } from "../../cli/parts/progress.ts";
import { runCommand } from "../../lib/run-command.ts";
import { type Cut, withoutGuard } from "./cut.ts";
import { MISTAKES } from "./cuts.ts";
import { Tree } from "./tree.ts";

/** A lesson as it was played by code that has its guard no more. */
export interface Played {
  lesson: number;
  /** What was cut out. */
  whats: string[];
  /** What was seen of the outage. */
  seen: string[];
  /** Why nothing was seen of it. */
  wrong?: string;
  seconds: number;
}

/** What a lesson may take. Milliseconds. */
const DEADLINE = 900_000;

/**
 * Plays lessons in a lab that is up, each by a copy of the code without all that prevents its
 * outage: what should hold must show it. The stack is deployed as it was in the end.
 *
 * @param name the lab's
 */
export async function* playCuts(name: string, cuts: readonly Cut[]): AsyncGenerator<Played> {
  const lab = await openRunningLab(name);
  const tree = new Tree();
  try {
    for (const { number } of LESSONS) {
      const own = cuts.filter(({ lesson, lab: isPlayed }) => lesson === number && isPlayed !== false);
      if (own.length === 0) continue;
      const edits = new Set([...own.flatMap((cut) => cut.edits), ...(MISTAKES[number] ?? [])]);
      const start = performance.now();
      const found = await tree.without(withoutGuard([...edits], tree.read), () =>
        play(tree.folder, name, number),
      );
      const said = own.flatMap(({ says }) => (says && found.wrong?.match(says)?.[0]) ?? []);
      if (found.seen.length === 0) found.seen.push(...said.map((words) => `the deploy itself: ${words}`));
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      yield { lesson: number, whats: own.map(({ what }) => what), ...found, seconds };
    }
  } finally {
    tree.remove();
    await new Bench(lab).deploy({});
  }
}

async function play(folder: string, name: string, lesson: number): Promise<Pick<Played, "seen" | "wrong">> {
  const args = ["cli/lab.ts", "lessons", String(lesson), "--cut-from-code", "--json", "--name", name];
  const done = await runCommand(process.execPath, args, {
    cwd: folder,
    deadline: DEADLINE,
    signal: "SIGTERM",
    passSignals: true,
  });
  if (done.interruptedBy) throw new Interrupted(`the replay of lesson ${lesson}`, done.interruptedBy);
  if (!done.stdout.startsWith("[")) return { seen: [], wrong: done.stderr.trim().slice(-2000) };
  const [replay] = JSON.parse(done.stdout) as Replay[];
  if (!replay) return { seen: [], wrong: "nothing was played" };
  const seen = noticedBy(replay.parts);
  return seen.length > 0 ? { seen } : { seen, wrong: replay.wrong ?? "all of it holds" };
}

/** One line: what was cut, and what of the outage was seen first. */
export function describePlayed({ lesson, whats, seen, wrong, seconds }: Played): string {
  const [first] = seen;
  const by = first === undefined ? `NOT RED: ${wrong}` : `red in the lab by ${first}`;
  return `lesson ${lesson} · without ${whats.join(", ")} · ${by} (${seconds} s)`;
}
