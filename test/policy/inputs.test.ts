import { createRequire } from "node:module";
import { expect, test } from "vitest";

import { definePolicy, type PolicyResource } from "../../policies/framework/policy.ts";
import { toSdkPolicy } from "../../policies/framework/sdk-policy.ts";
import { inputsOf } from "../../policies/framework/wire/inputs.ts";
import { askServed, secret, SOME_POLICY, UNKNOWN, type TestResource } from "./harness.ts";

const seen: PolicyResource["props"][] = [];
const policyOf = (id: string, seesSecrets?: true) =>
  definePolicy({
    ...SOME_POLICY,
    id,
    ...(seesSecrets && { seesSecrets }),
    judgeResource: ({ props, secretPaths }) => {
      seen.push(props);
      const what = `is ${String(props["labels"])}, secret: ${JSON.stringify(secretPaths)}`;
      return { findings: [{ where: "labels", what, instead: "x" }], notJudged: [] };
    },
    judgeStack: (resources) => {
      seen.push(...resources.map(({ props }) => props));
      return { findings: [], notJudged: [] };
    },
  });
const served = [policyOf("first-policy"), policyOf("second-policy", true)].map((one) => toSdkPolicy(one));
const web: TestResource = {
  type: "docker:index/container:Container",
  props: { image: UNKNOWN, labels: secret("opensesame") },
};
const different = async (about: TestResource | TestResource[]): Promise<number> => {
  seen.length = 0;
  await askServed(served, about);
  expect(seen).toHaveLength(2);
  return new Set(seen).size;
};

test("a resource is unpacked once for all policies, and for each question anew", async () => {
  expect(await different(web)).toBe(1);
  const [first] = seen;
  expect(await different([web])).toBe(1);
  expect(seen[0] === first).toBe(false);
});

test("unknown values still throw when they are read, and only a policy that asks is told where the secrets are", async () => {
  const told = await askServed(served, web);
  expect(told.map(({ message }) => message.split("\n")[0])).toEqual([
    "labels is opensesame, secret: undefined.",
    'labels is opensesame, secret: [["labels"]].',
  ]);
  expect(() => seen.at(-1)?.["image"]).toThrow("can't be known during preview");
});

const require = createRequire(import.meta.url);
interface Writer {
  writeString(field: number, value: string): void;
  writeMessage(field: number, message: object, write: (message: object, writer: Writer) => void): void;
  getResultBuffer(): Uint8Array;
}
const { BinaryWriter } = require("google-protobuf") as { BinaryWriter: new () => Writer };
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: { deserializeBinary(bytes: Uint8Array): { toJavaScript(): object } };
};

// A report that differed from run to run could not be compared.
test("keys are read in their order, in whatever order the engine sends them, and of two the later holds", () => {
  const writer = new BinaryWriter();
  for (const [key, text] of Object.entries({ b: "2", c: "3", a: "1" }).concat([["b", "4"]]))
    writer.writeMessage(1, {}, (_entry, entry) => {
      entry.writeString(1, key);
      entry.writeMessage(2, {}, (_value, value) => value.writeString(3, text));
    });
  const read = inputsOf(Struct.deserializeBinary(writer.getResultBuffer()));
  expect(Object.entries(read)).toEqual([
    ["a", "1"],
    ["b", "4"],
    ["c", "3"],
  ]);
});
