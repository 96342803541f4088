import { sarifLog, type RuleSource, type SarifResult } from "../../../lib/sarif.ts";
import { identityOf } from "../baseline.ts";
import type { CheckGap } from "../judge.ts";
import type { Reported, Result } from "../result.ts";

const STRANGERS = {
  "policy-exceptions": "Every exception has a reason and an end, and none has passed its end.",
};

/** The result as SARIF 2.1.0, in the shape of the review's. */
export function toSarif(result: Result, policies: readonly RuleSource[], version: string): string {
  const isCompared = result.mended !== undefined;
  const log = sarifLog([
    {
      version,
      category: "tailwart/check/",
      policies,
      strangers: STRANGERS,
      results: [
        ...result.findings.map((finding) => ofFinding(finding, isCompared)),
        ...result.notJudged.flatMap(ofGap),
      ],
      errors: result.problems.map(({ at, message }) => `${at.file}:${at.line}: ${message}`),
    },
  ]);
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ofFinding(finding: Reported, isCompared: boolean): SarifResult {
  const { policy, level, at, resource, urn, where, what, why, instead, excepted, isKnown } = finding;
  return {
    ruleId: policy,
    level,
    message: `${[where, what].filter(Boolean).join(" ")}.\nWhy: ${why}.\nFix: ${instead}`,
    ...at,
    resource: urn === "" ? undefined : { name: resource, id: urn },
    identity: identityOf(finding),
    ...(isCompared && { baselineState: isKnown ? "unchanged" : "new" }),
    ...(excepted && { suppressed: `${excepted.reason}, until ${excepted.until}` }),
  };
}

/** One for each policy that could not judge; what none asks about is no result of a rule. */
const ofGap = ({ at, where, because, policies }: CheckGap): SarifResult[] =>
  policies.map(({ id }) => ({
    ruleId: id,
    level: "note",
    message: `Not judged: ${[where, because].filter(Boolean).join(": ")}`,
    ...at,
    identity: [id, at.file, `not judged ${where}`, because],
  }));
