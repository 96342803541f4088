import { createRequire } from "node:module";
import type * as messages from "@pulumi/pulumi/proto/analyzer_pb.js";
import type * as struct from "google-protobuf/google/protobuf/struct_pb.js";
import { expect, test } from "vitest";

import { answersOf, type Pack } from "../../policies/framework/wire/serve.ts";
import { definePolicy } from "../../policies/framework/policy.ts";
import { type SdkPolicy, toSdkPolicy, type ViolationReport } from "../../policies/framework/sdk-policy.ts";
import { runPolicy, SOME_POLICY, type TestResource } from "./harness.ts";
import { CONTAINER } from "./resources.ts";

const asked: string[] = [];
const policyOf = (id: string, resourceTypes?: readonly string[]) =>
  definePolicy({
    ...SOME_POLICY,
    id,
    ...(resourceTypes && { resourceTypes }),
    judgeResource: ({ type }) => {
      asked.push(`${id}: ${type}`);
      return { findings: [], notJudged: [] };
    },
  });

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

const pack = { name: "test", version: "0.0.0" };
const require = createRequire(import.meta.url);
const { AnalyzeRequest } = require("@pulumi/pulumi/proto/analyzer_pb.js") as typeof messages;
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as typeof struct;

/** What the engine is answered about a resource of a type. */
function answer(served: Pack, type: string): Promise<messages.AnalyzeResponse.AsObject> {
  const request = new AnalyzeRequest();
  request.setType(type);
  request.setProperties(new Struct());
  return new Promise((resolve, reject) => {
    void answersOf(served).analyze({ request }, (error, response) => {
      if (error) reject(error as Error);
      else resolve(response!.toObject());
    });
  });
}

test("one answer does not hold what another had: each of a type is asked for itself", async () => {
  const served = { ...pack, policies: [toSdkPolicy(policyOf("of-one", [CONTAINER]))] };
  for (let i = 0; i < 2; i++) expect((await answer(served, IMAGE)).notApplicableList).toHaveLength(1);
});

test("a policy that the policy config disables is neither asked nor counted as not concerned", async () => {
  const policies = [policyOf("of-one", [CONTAINER]), policyOf("of-two", [IMAGE])].map((one) =>
    toSdkPolicy(one),
  );
  const levelOf = () => "disabled" as const;
  asked.length = 0;
  expect((await answer({ ...pack, policies }, CONTAINER)).notApplicableList).toHaveLength(1);
  expect((await answer({ ...pack, policies, levelOf }, CONTAINER)).notApplicableList).toEqual([]);
  expect(asked).toEqual([`of-one: ${CONTAINER}`]);
});

const reporting = (violation: ViolationReport) =>
  ({
    name: "reports",
    description: "Reports.",
    severity: "high",
    enforcementLevel: "mandatory",
    remediationSteps: "Mend it.",
    configSchema: { properties: {} },
    validateResource: (_resource, { report }) => report(violation),
  }) satisfies SdkPolicy;

test.each([
  ["its own level", undefined, {}, 1],
  ["the policy config's", "advisory", {}, 0],
  ["mandatory for remediate, as nothing is mended", "remediate", {}, 1],
  ["what the report says itself", "mandatory", { enforcementLevel: "advisory" }, 0],
] as const)("a report has %s", async (_which, level, said, expected) => {
  const served = { ...pack, policies: [reporting({ message: "bad", ...said })], levelOf: () => level };
  const { diagnosticsList } = await answer(served, CONTAINER);
  expect(diagnosticsList).toEqual([
    expect.objectContaining({
      policyname: "reports",
      policypackname: "test",
      policypackversion: "0.0.0",
      description: "Reports.",
      message: "bad",
      severity: 3,
      enforcementlevel: expected,
    }),
  ]);
});

test("a policy that fails is named in the error, and no answer is given", async () => {
  const failing = {
    ...reporting({ message: "" }),
    validateResource: () => Promise.reject(new Error("out of order")),
  };
  await expect(answer({ ...pack, policies: [failing] }, CONTAINER)).rejects.toThrow(
    /policy 'reports' from policy pack 'test@v0\.0\.0':\nError: out of order/,
  );
});
