import { beforeAll, describe, expect, test } from "vitest";

import { policyFlags, stackFlags, writeStackConfig } from "../../cli/lab-config.ts";
import { pulumi } from "../../cli/stack.ts";
import { editSetting, facts, said, stack, up } from "./lab.ts";

const KEY = "queue.route.smarthost.address";

describe("a deployed stack", () => {
  beforeAll(async () => {
    expect((await up()).code).toBe(0);
  });

  test("is left alone by a second up", async () => {
    const run = await up({}, "--expect-no-changes");
    expect(run.code, said(run)).toBe(0);
  });

  test("is left alone by an up after a refresh", async () => {
    const run = await up({}, "--refresh", "--expect-no-changes");
    expect(run.code, said(run)).toBe(0);
  });

  test("passes the policy pack with nothing to mend", async () => {
    const run = await pulumi(stack, ["preview", ...stackFlags(stack), ...policyFlags(stack)]);
    expect(run.code, said(run)).toBe(0);
    expect(said(run)).not.toMatch(/\[mandatory\]|Not judged/);
  });
});

describe("a setting edited by hand", () => {
  test("is named by a preview with refresh, and put back by up", async () => {
    editSetting(KEY, "elsewhere.tail.test");
    const preview = await pulumi(stack, ["preview", ...stackFlags(stack), "--refresh", "--diff"]);
    expect(said(preview)).toMatch(/queue\.route\.smarthost\.address.*elsewhere\.tail\.test/s);
    const run = await up({}, "--refresh");
    expect(run.code, said(run)).toBe(0);
    const again = await up({}, "--refresh", "--expect-no-changes");
    expect(again.code, said(again)).toBe(0);
  });
});

describe("a changed setting", () => {
  test("is named by preview with its old and its new value", async () => {
    const changed = { "tailwart:relay/port": 2587 };
    await writeStackConfig(stack, facts, changed);
    const preview = await pulumi(stack, ["preview", ...stackFlags(stack), "--diff"]);
    await writeStackConfig(stack, facts);
    expect(said(preview)).toMatch(/queue\.route\.smarthost\.port.*"587" => "2587"/s);
  });
});
