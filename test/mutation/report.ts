import type { Mutant } from "./mutants.ts";
import type { Verdict } from "./run.ts";

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text;

const line = (mutant: Mutant, unreached: boolean): string =>
  `    ${mutant.file}:${mutant.line}  ${mutant.change}  ${cut(mutant.code, 70)}${unreached ? "  (no test gets here)" : ""}`;

/** The table, and below it the mutants that lived. */
export function describe(verdicts: readonly Verdict[], all: boolean): string {
  const rows = verdicts.map((verdict) =>
    [
      verdict.id.padEnd(34),
      ...[
        verdict.mutants.length,
        verdict.mutants.filter(({ id }) => verdict.killed.has(id)).length,
        verdict.survivors.length,
        verdict.tolerated.length,
        verdict.equivalent.length,
      ].map((count) => String(count).padStart(8)),
    ].join(""),
  );
  const listed = verdicts.flatMap((verdict) => {
    const shown = [...verdict.survivors, ...(all ? verdict.tolerated : [])];
    return shown.length > 0
      ? [`  ${verdict.id}`, ...shown.map((mutant) => line(mutant, verdict.unreached.has(mutant.id)))]
      : [];
  });
  const titles = ["mutants", "killed", "alive", "minor", "equal"].map((title) => title.padStart(8)).join("");
  return [
    `${"policy".padEnd(34)}${titles}`,
    ...rows,
    ...(listed.length > 0 ? ["", "alive: no test turned red", ...listed] : []),
  ].join("\n");
}

/** Why a run fails, in words. */
export function failures(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ id, survivors, stale, mutants, red }) => [
    ...red.map((test) => `${id}: a test is red with no mutant on: ${test}`),
    ...(mutants.some(({ kind }) => kind === "nothing")
      ? []
      : [`${id}: no judging function was found to mutate`]),
    ...(survivors.length > 0
      ? [`${id}: ${survivors.length} ${survivors.length === 1 ? "mutant turns" : "mutants turn"} no test red`]
      : []),
    ...stale.map(
      (entry) => `${id}: test/mutation/equivalent.ts names a mutant that is not there, or dies: ${entry}`,
    ),
  ]);
}
