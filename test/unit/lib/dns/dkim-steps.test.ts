import { describe, expect, test } from "vitest";

import { type DkimStep, type DkimUses, refusedSteps } from "../../../../lib/dns/dkim-steps.ts";

const refused = (now: DkimUses, before: DkimUses) =>
  refusedSteps(now, before).map(({ selector }) => selector);

describe("a rotation", () => {
  const steps: DkimUses[] = [
    {},
    { one: "publish" },
    { one: "sign" },
    { one: "sign", two: "publish" },
    { one: "retire", two: "sign" },
    { two: "sign" },
    { two: "retire" },
    {},
  ];

  test("takes each step after the one before, and each step again", () => {
    steps.forEach((now, i) => {
      expect(refusedSteps(now, now)).toEqual([]);
      if (i > 0) expect(refusedSteps(now, steps[i - 1] ?? {})).toEqual([]);
    });
  });

  test("may be given up after each step in which the new key signs nothing, or go back to the retired one", () => {
    expect(refusedSteps({ one: "sign" }, { one: "sign", two: "publish" })).toEqual([]);
    expect(refusedSteps({ one: "sign", two: "retire" }, { one: "retire", two: "sign" })).toEqual([]);
  });

  test.each<[string, DkimUses, DkimUses, string]>([
    ["publishing the new key", { one: "retire", two: "sign" }, { one: "sign" }, "two"],
    ["retiring the old one", { two: "sign" }, { one: "sign", two: "publish" }, "one"],
    ["retiring the only one", {}, { one: "sign" }, "one"],
    ["signing, on the way to retired", { one: "retire" }, { one: "publish" }, "one"],
    ["all before retiring", { one: "retire" }, {}, "one"],
  ])("that leaves out %s is refused by the selector's name", (_what, now, before, selector) => {
    expect(refused(now, before)).toEqual([selector]);
  });

  test.each<[DkimStep, DkimStep]>([
    ["sign", "publish"],
    ["retire", "publish"],
  ])("from %s back to %s is refused, with what is accepted", (before, now) => {
    expect(refusedSteps({ one: now }, { one: before })[0]?.reason).toMatch(/accepts /);
  });

  test("a first key may sign at once, since none is given up for it", () => {
    expect(refusedSteps({ one: "sign" }, {})).toEqual([]);
    expect(refusedSteps({ two: "sign" }, { one: "retire" })).toEqual([]);
  });
});
