import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allPolicies } from "../../policies/rules/index.ts";
import { makeRawProgram, type RawProgram } from "./raw-program.ts";
import type { Violation } from "./violations/violation.ts";

/**
 * One violating program for each policy, through the real engine: raw resources, past the
 * components' own checks. Each is one preview, so CI takes three: a policy over the whole stack
 * that follows where a value comes from, one that is told of secrets, and one that reads options.
 */
const SMOKE = ["stalwart-shares-anchor", "secrets-not-in-plain-sight", "mail-data-protected"];

const FOLDER = join(import.meta.dirname, "violations");
const files = readdirSync(FOLDER)
  .filter((file) => file !== "violation.ts")
  .map((file) => basename(file, ".ts"))
  .toSorted();
const ids = allPolicies.map((policy) => policy.id).toSorted();

describe("the violating programs", () => {
  test("are one for each policy, and none is left over", () => {
    expect({
      "policies without a file in test/engine/violations": ids.filter((id) => !files.includes(id)),
      "files in test/engine/violations without a policy": files.filter((file) => !ids.includes(file)),
    }).toEqual({
      "policies without a file in test/engine/violations": [],
      "files in test/engine/violations without a policy": [],
    });
  });

  test("that CI runs belong to policies of the pack", () =>
    expect(ids).toEqual(expect.arrayContaining(SMOKE)));
});

/**
 * What a preview's summary says in the name of one policy: a block begins with its level, and ends
 * where the next one begins.
 */
function said(output: string, policy: string): string[] {
  const [, summary = ""] = output.split(/^Policies:$/m);
  return summary
    .split(/\n\s*\n/, 1)
    .flatMap((text) => text.split(/^ {8}- (?=\[)/m).slice(1))
    .filter((block) => / {2}(\S+) {2}\(/.exec(block.split("\n", 1)[0] ?? "")?.[1] === policy);
}

describe("a violating program fails its preview through the pack", () => {
  let raw: RawProgram;
  beforeAll(async () => {
    raw = await makeRawProgram();
  });
  afterAll(() => raw?.remove());

  test.each(files.filter((id) => process.env["TAILWART_FULL"] || SMOKE.includes(id)))("%s", async (id) => {
    const { program, expected, policyConfig } = (
      (await import(join(FOLDER, `${id}.ts`))) as { default: Violation }
    ).default;
    expect(expected.length).toBeGreaterThan(0);
    const { code, output } = await raw.preview(program, policyConfig);
    const blocks = said(output, id);
    expect(
      blocks.filter((block) => block.startsWith("[mandatory]")),
      output,
    ).not.toEqual([]);
    for (const text of expected)
      expect(blocks.join("\n")).toEqual(
        typeof text === "string" ? expect.stringContaining(text) : expect.stringMatching(text),
      );
    expect(output).not.toContain("can't run policy");
    expect(code).not.toBe(0);
  });
});
