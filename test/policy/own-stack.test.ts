import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allPolicies } from "../../policies/all.ts";
import { runPolicy, runStackPolicy, type Outcome, type TestResource } from "./harness.ts";

interface GoldenResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: object;
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../golden/prod.json"), "utf8"),
) as GoldenResource[];
const resources: TestResource[] = golden.map(({ type, name, inputs }) => ({ type, name, props: inputs }));

/** Whether a policy judged something, so that "no violation" says more than "not applicable". */
const judged = (outcome: Outcome): boolean => outcome.notApplicable === undefined;

test.each(allPolicies.map((policy) => [policy.id, policy] as const))(
  "%s judges the stack of Pulumi.prod.yaml: no violation, nothing left unjudged",
  async (_, policy) => {
    expect(resources.length).toBeGreaterThan(10);
    const outcomes = await Promise.all([
      ...(policy.judgeResource ? resources.map((resource) => runPolicy(policy, resource)) : []),
      ...(policy.judgeStack ? [runStackPolicy(policy, resources)] : []),
    ]);
    expect(outcomes.flatMap((outcome) => outcome.violations)).toEqual([]);
    expect(outcomes.flatMap((outcome) => outcome.notJudged)).toEqual([]);
    expect(outcomes.some(judged)).toBe(true);
  },
);
