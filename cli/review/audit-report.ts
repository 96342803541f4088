import type { EngineRun } from "./engine-runs.ts";
import { driftOf } from "./changes.ts";
import { type Report, reportOf } from "./model.ts";

/**
 * One report of what the pack says of a state, and of what a refresh has found.
 *
 * @param looked what `refresh --preview-only` answered; undefined where no host was asked
 */
export function auditReport(
  stack: string,
  judged: EngineRun,
  looked?: EngineRun,
  folders: readonly string[] = [],
): Report {
  const context = { kind: "audit", stack, folders } as const;
  const report = reportOf(judged.events, { ...context, code: judged.code, stderr: judged.stderr });
  if (!looked) return report;
  const drift = driftOf(looked.events);
  // With drift the refresh ends with an error of its own, which tells nothing more.
  const { problems } = reportOf(looked.events, {
    ...context,
    code: drift.length > 0 ? 0 : looked.code,
    stderr: looked.stderr,
  });
  const all = [...report.problems, ...problems];
  const unanswered = problems.some(({ severity }) => severity === "error");
  const failed = report.result === "failed" || all.some(({ severity }) => severity === "error");
  // What a refresh without an end has not found is not "no drift".
  const known = drift.length > 0 || !unanswered;
  return { ...report, problems: all, ...(known && { drift }), result: failed ? "failed" : "succeeded" };
}

/**
 * 0 clean, 1 a violation or no end, 3 drift alone. What could not be judged is told, and is no
 * fault of the stack.
 */
export function auditCode({ violations, problems, result, drift = [] }: Report): 0 | 1 | 3 {
  const failed = result === "failed" || problems.some(({ severity }) => severity === "error");
  if (violations.length > 0 || failed) return 1;
  return drift.length > 0 ? 3 : 0;
}
