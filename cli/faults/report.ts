import { STUCK } from "./judge.ts";
import type { Outcome } from "./run-fault.ts";

const seconds = (value: number) => value.toFixed(1);

/** What came of a fault, in lines for people. */
export function rowsOf({ verdict, times, draining, problems, ledger }: Outcome): string[] {
  const { sent, taken, refusedForNow, delayed, lost, bounced, stuck } = verdict;
  const place =
    draining === undefined
      ? `still queued: ${stuck.length} (the schedule)`
      : `all in place after ${draining.toFixed(0)} s`;
  return [
    `${sent} sent, ${taken} taken, ${refusedForNow} attempts of ${delayed} refused for now`,
    `${lost.length} lost, ${copiesOf(verdict)} duplicated, ${bounced.length} come back`,
    `refused for ${seconds(times.refusing)} s, healed after ${seconds(times.healing)} s, ${place}`,
    ...(problems.length > 0
      ? [...problems.map((line) => `✗ ${line}`), `ledger: ${ledger}`]
      : ["✓ nothing lost, nothing unexpected in a log"]),
  ];
}

/** Second copies, whoever is their cause. */
export const copiesOf = ({ repeated, duplicated }: Outcome["verdict"]): number =>
  repeated + duplicated.length;

const HEAD = ["fault", "sent", "refused for now", "lost", "duplicated", "s of refused mail", "s to heal", ""];

/** A run of several, as a table for the terminal. */
export function summaryOf(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.map(({ fault, verdict, times, problems }) => [
    fault,
    ...[verdict.sent, verdict.refusedForNow, verdict.lost.length, copiesOf(verdict)].map(String),
    seconds(times.refusing),
    seconds(times.healing),
    problems.length === 0 ? "✓" : problems.some((line) => !line.includes(STUCK)) ? "✗" : "still queued",
  ]);
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
