import { expect, test } from "vitest";

import { judge } from "../../../../cli/faults/judge.ts";
import { rowsOf, summaryOf } from "../../../../cli/faults/report.ts";
import type { Outcome } from "../../../../cli/faults/run-fault.ts";

const outcome = (fault: string, more: Partial<Outcome> = {}): Outcome => ({
  fault,
  run: "f1",
  verdict: judge([], { mailbox: new Map(), smarthost: new Map(), queue: new Set(), bounced: new Set() }),
  times: { refusing: 5.25, healing: 0 },
  problems: [],
  ledger: "f1.jsonl",
  ...more,
});

test("what waits for the schedule is told of as that, and never as endless", () => {
  const waits = outcome("relay-down");
  waits.verdict.stuck.push("f1-4", "f1-8");
  expect(rowsOf(waits).join("\n")).toContain("still queued: 2 (the schedule)");
  expect(rowsOf(outcome("none", { draining: 9.4 })).join("\n")).toContain("all in place after 9 s");
});

test("a run of several ends with a table, a line a fault, which says which went wrong", () => {
  const bad = outcome("postgres-killed", { problems: ["1 taken with 250 and found nowhere: f1-1"] });
  const lines = summaryOf([outcome("none"), bad]);
  expect(lines[0]).toMatch(/^fault +sent +refused for now +lost +duplicated +s of refused mail +s to heal$/);
  expect(lines[1]).toMatch(/^none +0 +0 +0 +0 +5\.3 +0\.0 +✓$/);
  expect(lines[2]).toMatch(/^postgres-killed .*✗$/);
});
