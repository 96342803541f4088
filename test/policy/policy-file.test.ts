import { describe, expect, test } from "vitest";
import { readPolicyFile } from "../../policies/facts/tailnet/policy-file.ts";

describe("readPolicyFile", () => {
  const read = (acl: unknown) =>
    readPolicyFile({ type: "", name: "", urn: "", props: { acl }, opts: { protect: false } });
  test("reads HuJSON with comments and trailing commas", () => {
    expect(read('{ // mine\n "grants": [], /* x */ }')).toEqual({ document: { grants: [] } });
  });
  test.each([["[]"], ["null"], ["{"], [""], [undefined], ["[".repeat(200_000)]])("refuses %j", (text) => {
    expect(read(text)).toEqual({ because: "the tailnet policy file cannot be parsed as HuJSON" });
  });
});
