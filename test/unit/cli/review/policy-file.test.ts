import { parse } from "jsonc-parser";
import { expect, test } from "vitest";

import { policyFileIn } from "../../../../cli/review/policy-file.ts";

const POLICY = '{\n  // mine\n  "grants": [],\n}\n';
const TESTS = [{ src: "tag:a", accept: ["tag:b:25"] }];

const made = (type: string, inputs: Record<string, unknown>) => ({
  resourcePreEvent: { metadata: { op: "create", urn: `urn:pulumi:s::p::${type}::x`, type, new: { inputs } } },
});
const acl = (text: string) => made("tailscale:index/acl:Acl", { acl: text });
const order = (desired: string, tests: unknown[] = TESTS) =>
  made("command:local:Command", { stdin: JSON.stringify({ desired, policyFile: "f", tests }) });

test("the policy file has the tests that the program would evaluate after it, once, and its comments", () => {
  const text = policyFileIn([order(POLICY), acl(POLICY), order(POLICY)]) ?? "";
  expect(parse(text)).toEqual({ grants: [], tests: TESTS });
  expect(text).toContain("// mine");
});

test("the file's own tests are kept, and none is there twice", () => {
  const own = `{"tests": [{"src": "tag:c"}, ${JSON.stringify(TESTS[0])}]}`;
  expect(parse(policyFileIn([acl(own), order(own)]) ?? "")).toEqual({ tests: [{ src: "tag:c" }, ...TESTS] });
});

test("a command that is told another document asks nothing of this one", () => {
  expect(policyFileIn([acl(POLICY), order("{}")])).toBe(POLICY);
});

test("a stack without a policy file, or with one that is known only later, has none", () => {
  expect(policyFileIn([order(POLICY)])).toBeUndefined();
  expect(policyFileIn([acl("04da6b54-80e4-46f7-96ec-b56ff0331ba9")])).toBeUndefined();
});

test("what is no HuJSON is left to the control server's words", () => {
  expect(policyFileIn([acl('{"grants": [')])).toBe('{"grants": [');
});
