import { existsSync } from "node:fs";
import { join } from "node:path";

import { type Cut, typesOf, withoutGuard } from "./cut.ts";
import { besides, type Run, runTests } from "./notice.ts";
import { Tree } from "./tree.ts";

/** What became of a cut. */
export interface Verdict {
  lesson: number;
  what: string;
  files: string[];
  /** Tests that are red with the cut and green without it. */
  noticedBy: Run["red"];
  /** Why the cut shows nothing: it is not the tests that notice. */
  error?: string;
  seconds: number;
}

/**
 * Takes guards out of a copy of the code, one after the other, and runs the tests over it: those
 * that stand beside first, and where none of these notices those that import what is cut.
 */
export async function* tryCuts(cuts: readonly Cut[]): AsyncGenerator<Verdict> {
  const tree = new Tree();
  const typesIn = typesOf(tree.folder);
  try {
    const own = (cut: Cut) => besides(cut, (file) => existsSync(join(tree.folder, file)));
    const noticing: Run["red"] = [];
    for (const cut of cuts) {
      const start = performance.now();
      const texts = withoutGuard(cut.edits, tree.read);
      const found = await tree.without(texts, async () => {
        const wrong = typesIn(texts.keys());
        if (wrong !== undefined) return { noticedBy: [], error: wrong };
        return noticed(tree.folder, own(cut), [...texts.keys()]);
      });
      noticing.push(...found.noticedBy);
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      yield { lesson: cut.lesson, what: cut.what, files: [...texts.keys()], ...found, seconds };
    }
    await mustBeGreen(tree.folder, noticing);
  } finally {
    tree.remove();
  }
}

async function noticed(
  folder: string,
  own: readonly string[],
  files: readonly string[],
): Promise<Pick<Verdict, "noticedBy" | "error">> {
  const runs: Run[] = [];
  if (own.length > 0) runs.push(await runTests(folder, { tests: own }));
  if (runs.every(({ red }) => red.length === 0)) runs.push(await runTests(folder, { importing: files }));
  const noticedBy = runs.flatMap(({ red }) => red);
  const unloaded = runs.flatMap((run) => run.unloaded);
  if (noticedBy.length > 0 || unloaded.length === 0) return { noticedBy };
  return { noticedBy, error: `no test could say so: ${unloaded.join(", ")} did not even begin` };
}

/** @throws Error where one of the tests is red with all guards in their places */
async function mustBeGreen(folder: string, tests: Run["red"]): Promise<void> {
  if (tests.length === 0) return;
  const sentences = new Set(tests.map(({ sentence }) => sentence));
  const { red, unloaded, passed } = await runTests(folder, {
    tests: [...new Set(tests.map(({ file }) => file))],
    sentences: [...sentences],
  });
  const wrong = [...red.map(({ file, sentence }) => `${file}: ${sentence}`), ...unloaded];
  if (wrong.length > 0) throw new Error(`red without any cut, so it notices none: ${wrong.join("; ")}`);
  if (passed < sentences.size)
    throw new Error(`of ${sentences.size} tests that noticed a cut, ${passed} ran again without one`);
}

/** One line: the cut, and the first who has noticed. */
export function describe({ lesson, what, files, noticedBy, error, seconds }: Verdict): string {
  const [first] = noticedBy;
  const more = noticedBy.length > 1 ? ` and ${noticedBy.length - 1} more` : "";
  const by = first ? `noticed by ${first.file}: "${first.sentence}"${more}` : (error ?? "NOT NOTICED");
  return `lesson ${lesson} · ${what} cut from ${files.join(", ")} · ${by} (${seconds} s)`;
}

/** Why the run fails for it, in words. */
export function failureOf({ lesson, what, files, noticedBy, error }: Verdict): string | undefined {
  const at = `lesson ${lesson}: ${what} can be cut from ${files.join(", ")}`;
  if (error !== undefined) return `${at}, but the cut shows nothing: ${error}`;
  return noticedBy.length > 0 ? undefined : `${at}, and no test turns red`;
}
