import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allPolicies } from "../../policies/rules/index.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { runPolicy, runStackPolicy, UNKNOWN, urnOf, type Outcome, type TestResource } from "./harness.ts";

const goldenOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../golden/${name}.json`), "utf8");

/** Docker's ids are hex digits; the golden stack's are names, which read better. */
const deployed = (golden: string): string =>
  golden.replace(/"container:[\w-]+-id"/g, `"container:${"0".repeat(64)}"`);
/** Before anything is made, whatever holds an id or a generated secret is unknown. */
const atFirst = (golden: string): string =>
  golden.replace(/"(?:[^"\\]|\\.)*"/g, (text) =>
    /-id"$|(?:key|secret|password|hash)-of-/.test(text) ? JSON.stringify(UNKNOWN) : text,
  );

function resourcesOf(text: string): TestResource[] {
  const registered = JSON.parse(text) as Registered[];
  const urns = new Map(
    registered.map(({ type, name }) => [`${type} ${name}`, urnOf({ type, name, props: {} })]),
  );
  return registered.map(({ type, name, inputs, protect, comesFrom = {} }) => ({
    type,
    name,
    props: inputs,
    ...(protect && { protect }),
    propertyDependencies: Object.fromEntries(
      Object.entries(comesFrom).map(([input, sources]) => [
        input,
        sources.map((source) => urns.get(source) ?? source),
      ]),
    ),
  }));
}

/** What these judge is not in the stack: tailwart does not write DNS records yet. */
const WITHOUT_SUBJECT = ["dkim-published", "mx-points-at-edge", "no-aaaa-without-v6-edge", "one-spf-record"];

/** Whether a policy judged something, so that "no violation" says more than "not applicable". */
const judged = (outcome: Outcome): boolean => outcome.notApplicable === undefined;

const prod = goldenOf("prod");
const keys = goldenOf("keys");

describe.each([
  ["once it is deployed", resourcesOf(deployed(prod))],
  ["at its first preview", resourcesOf(atFirst(prod))],
  ["with Stalwart 0.15, once it is deployed", resourcesOf(deployed(keys))],
  ["with Stalwart 0.15, at its first preview", resourcesOf(atFirst(keys))],
])("the stack of Pulumi.prod.yaml %s", (_, resources) => {
  test.each(allPolicies.map((policy) => [policy.id, policy] as const))(
    "passes %s, with nothing left unjudged",
    async (_, policy) => {
      expect(resources.length).toBeGreaterThan(10);
      const outcomes = await Promise.all([
        ...(policy.judgeResource ? resources.map((resource) => runPolicy(policy, resource)) : []),
        ...(policy.judgeStack ? [runStackPolicy(policy, resources)] : []),
      ]);
      expect(outcomes.flatMap((outcome) => outcome.violations)).toEqual([]);
      expect(outcomes.flatMap((outcome) => outcome.notJudged)).toEqual([]);
      expect(outcomes.some(judged)).toBe(!WITHOUT_SUBJECT.includes(policy.id));
    },
  );
});

test("the first preview's stack has unknown values, as one that is deployed has not", () => {
  expect(atFirst(prod).split(UNKNOWN).length).toBeGreaterThan(10);
  expect(deployed(prod)).not.toContain(UNKNOWN);
});
