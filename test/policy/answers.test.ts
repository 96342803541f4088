import { expect, test } from "vitest";

import { analyzeByType, type Served } from "../../policies/answers.ts";
import { definePolicy } from "../../policies/definition.ts";
import { toSdkPolicy } from "../../policies/sdk-policy.ts";
import { runPolicy, type TestResource } from "./harness.ts";

const asked: string[] = [];
const policyOf = (id: string, resourceTypes?: readonly string[]) =>
  definePolicy({
    id,
    description: "D.",
    severity: "low",
    level: "mandatory",
    remediation: "R.",
    url: "u",
    why: "w",
    anyStack: true,
    ...(resourceTypes && { resourceTypes }),
    judgeResource: ({ type }) => {
      asked.push(`${id}: ${type}`);
      return { findings: [], notJudged: [] };
    },
  });

const CONTAINER = "docker:index/container:Container";
const IMAGE = "docker:index/remoteImage:RemoteImage";
const resourceOf = (type: string): TestResource => ({ type, props: {} });

test("a policy is asked about the types that it reads, however many, and a policy without types about all", async () => {
  const policies = [
    policyOf("of-none"),
    policyOf("of-one", [CONTAINER]),
    policyOf("of-two", [IMAGE, CONTAINER]),
  ];
  for (const type of [CONTAINER, IMAGE, "docker:index/volume:Volume"])
    for (const policy of policies) await runPolicy(policy, resourceOf(type));
  expect(asked).toEqual([
    `of-none: ${CONTAINER}`,
    `of-one: ${CONTAINER}`,
    `of-two: ${CONTAINER}`,
    `of-none: ${IMAGE}`,
    `of-two: ${IMAGE}`,
    "of-none: docker:index/volume:Volume",
  ]);
});

test("Pulumi is told that a policy was not concerned, with the types that it reads", async () => {
  const { notApplicable, violations } = await runPolicy(
    policyOf("of-two", [IMAGE, CONTAINER]),
    resourceOf("a:b:C"),
  );
  expect(notApplicable).toBe(`only ${IMAGE}, ${CONTAINER} are read`);
  expect(violations).toEqual([]);
});

test("one answer does not hold what another had: each of a type is asked for itself", async () => {
  const served: Served = {
    name: "test",
    version: "0.0.0",
    enforcementLevel: "mandatory",
    policies: [toSdkPolicy(policyOf("of-one", [CONTAINER]))],
  };
  const analyze = analyzeByType(served);
  const notApplicableTo = (type: string) =>
    new Promise<number>((resolve, reject) => {
      const request = { getType: () => type } as never;
      analyze({ request }, (error, response) => {
        if (error) reject(error as Error);
        else resolve(response?.getNotApplicableList().length ?? -1);
      });
    });
  expect(await notApplicableTo(IMAGE)).toBe(1);
  expect(await notApplicableTo(IMAGE)).toBe(1);
});
