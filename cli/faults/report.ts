import type { Outcome } from "./run-fault.ts";

/** What came of a fault, in lines for people. */
export function rowsOf({ verdict, times, draining, problems, ledger }: Outcome): string[] {
  const { sent, taken, refusedForNow, delayed, lost, repeated, duplicated } = verdict;
  const again = repeated + duplicated.length;
  return [
    `${sent} sent, ${taken} taken, ${refusedForNow} attempts of ${delayed} refused for now`,
    `${lost.length} lost, ${again} duplicated`,
    `refused for ${times.refusing.toFixed(1)} s, healed after ${times.healing.toFixed(1)} s, all in place after ${draining.toFixed(0)} s`,
    ...(problems.length > 0
      ? [...problems.map((line) => `✗ ${line}`), `ledger: ${ledger}`]
      : ["✓ nothing lost, nothing unexpected in a log"]),
  ];
}
