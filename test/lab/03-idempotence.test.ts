import { beforeAll, describe, expect, test } from "vitest";

import { policyFlags, stackFlags, writeStackConfig } from "../../cli/parts/lab-config.ts";
import { pulumi } from "../../cli/parts/pulumi-cli.ts";
import { editRelayHost, NAMES } from "./hands.ts";
import { facts, said, stack, up } from "./lab.ts";

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
    await editRelayHost("elsewhere.tail.test");
    const preview = await pulumi(stack, ["preview", ...stackFlags(stack), "--refresh", "--diff"]);
    expect(said(preview)).toMatch(new RegExp(`${NAMES.relayHost}.*elsewhere\\.tail\\.test`, "s"));
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
    const change = `${NAMES.number(587)} => ${NAMES.number(2587)}`;
    expect(said(preview)).toMatch(new RegExp(`${NAMES.relayPort}.*${change}`, "s"));
  });
});
