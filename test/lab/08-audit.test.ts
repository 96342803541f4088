// `npm run audit` and `npm run review` on the lab's deployed stack.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Report } from "../../cli/review/model.ts";
import { editRelayHost, NAMES } from "./hands.ts";
import { said, up } from "./lab.ts";
import { LAB } from "./setup.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
let out: string;

/** Runs one of the project's commands as a user would. */
function command(name: "audit" | "review"): {
  code: number | null;
  report: Report;
  markdown: string;
  said: string;
} {
  const args = [join(PROJECT, "cli", `${name}.ts`), "--name", LAB, "--out", out, "--json"];
  const done = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: "utf8", maxBuffer: 2 ** 26 });
  const text = `${done.stdout}\n${done.stderr}`;
  expect(done.stdout, text).toMatch(name === "review" ? /^\[/ : /^\{/);
  const markdown = readFileSync(join(out, `${name}.md`), "utf8");
  // A review may be of several stacks.
  const [report] = [JSON.parse(done.stdout) as Report | [Report]].flat() as [Report];
  return { code: done.status, report, markdown, said: text };
}

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), "tailwart-audit-"));
  const run = await up();
  expect(run.code, said(run)).toBe(0);
});

afterAll(async () => {
  rmSync(out, { recursive: true, force: true });
  const run = await up({}, "--refresh");
  expect(run.code, said(run)).toBe(0);
});

describe("the audit of a deployed stack", () => {
  test("is clean: 0 violations, 0 not judged, no drift", () => {
    const { code, report, markdown, said: text } = command("audit");
    expect(report.violations).toEqual([]);
    expect(report.notJudged).toEqual([]);
    expect(report.drift).toEqual([]);
    expect(code, text).toBe(0);
    expect(markdown).toMatch(/^## ✅ Audit of the stack/);
  });

  test("after a hand edit ends with 3, and names the setting with its old and its new value", async () => {
    await editRelayHost("elsewhere.tail.test");
    const { code, report, markdown, said: text } = command("audit");
    expect(code, text).toBe(3);
    expect(report.violations).toEqual([]);
    expect(report.drift?.map(({ type }) => type)).toEqual([NAMES.resource]);
    expect(markdown).toMatch(new RegExp(`${NAMES.relayHost}.*→.*elsewhere\\.tail\\.test`, "s"));
  });

  test.runIf(process.env["TAILWART_FULL"])("after up has put it back is clean again", async () => {
    const run = await up({}, "--refresh");
    expect(run.code, said(run)).toBe(0);
    const { code, report, said: text } = command("audit");
    expect(report.drift).toEqual([]);
    expect(code, text).toBe(0);
  });
});

describe("the review of a deployed stack", () => {
  test("with nothing to change says so: no violation, nothing replaced, mail goes on", () => {
    const { code, report, said: text } = command("review");
    expect(code, text).toBe(0);
    expect(report.changes).toEqual([]);
    expect(report.downtime).toEqual([]);
    expect(report.violations).toEqual([]);
  });
});
