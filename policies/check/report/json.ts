import { exitCodeOf, type Result } from "../result.ts";

/** The result as one JSON object; its keys are added to, and never renamed. */
export function toJson(result: Result): string {
  const { findings, notJudged, problems, files, mended } = result;
  const document = {
    version: 1,
    result: exitCodeOf(result) === 0 ? "succeeded" : "failed",
    files,
    findings: findings.map(({ at, isKnown, ...finding }) => ({ ...at, ...finding, known: isKnown })),
    notJudged: notJudged.map(({ at, ...gap }) => ({ ...at, ...gap })),
    problems: problems.map(({ at, message }) => ({ ...at, message })),
    ...(mended !== undefined && { mended }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
