import type { CheckFinding, CheckGap } from "./judge.ts";
import type { Problem } from "./stacks.ts";

/** A finding, and whether the baseline knows it. */
export interface Reported extends CheckFinding {
  readonly isKnown: boolean;
}

/** Everything that a check says. */
export interface Result {
  readonly findings: readonly Reported[];
  readonly notJudged: readonly CheckGap[];
  /** Files that could not be read. */
  readonly problems: readonly Problem[];
  readonly files: number;
  /** Findings of the baseline that are there no more; undefined without one. */
  readonly mended?: number | undefined;
}

/** Whether a finding fails the check: neither an advice, nor excepted, nor known. */
export const fails = ({ level, isKnown }: Reported): boolean => level === "error" && !isKnown;

/** 0: nothing new is refused; 1: something is, or a file cannot be read. */
export function exitCodeOf({ findings, problems }: Result): number {
  return findings.some(fails) || problems.length > 0 ? 1 : 0;
}
