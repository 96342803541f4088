import { describe, expect, test } from "vitest";

import { LESSONS } from "../../../../cli/lessons/index.ts";
import { type Lesson, type Missing, type Way, withoutGuard } from "../../../../cli/lessons/lesson.ts";
import { mergedConfig, planOf } from "../../../../cli/lessons/plan.ts";

const lesson = (number: number, more: Partial<Lesson> = {}): Lesson => ({
  number,
  title: "A lesson",
  preventedBy: "a guard",
  refusedBy: [],
  play: async () => undefined,
  ...more,
});

/** Each group's rounds: "-" without the guards, "+" with them, and who plays. */
const told = (lessons: Lesson[], options?: { cut: Missing }) =>
  planOf(lessons, options).map(({ rounds }) =>
    rounds.map(
      ({ guard, halves }) =>
        `${guard ? "+" : "-"} ${halves.map((half) => `${half.lesson.number}${half.way?.name ?? ""}`).join()}`,
    ),
  );

describe("lessons share a deploy", () => {
  test("where none takes from another what it needs", () => {
    expect(told([lesson(1), lesson(2)])).toEqual([["- 1,2", "+ 1,2"]]);
    const touching = (number: number) => lesson(number, { touches: [":443", "the certificate"] });
    const third = lesson(3, { touches: ["the certificate"] });
    expect(told([touching(1), touching(2), third, lesson(4)])).toEqual([
      ["- 1,4", "- 2", "- 3", "+ 1,2,3,4"],
    ]);
  });

  test("never with one after which nothing works, but as the last", () => {
    const last = (number: number) => lesson(number, { when: "last" });
    expect(told([last(1), last(2), lesson(3), lesson(4, { when: "first" })])).toEqual([
      ["- 4,3,1", "- 2", "+ 4,3,1,2"],
    ]);
  });

  test("in one way of leaving the guard out, and in another deploy for the next", () => {
    const ways: Way[] = ["a", "b"].map((name) => ({ name, config: withoutGuard(1, name) }));
    expect(told([lesson(1, { ways }), lesson(2)])).toEqual([["- 1a,2", "- 1b", "+ 1,2"]]);
    expect(told([lesson(1, { ways }), lesson(2)], { cut: "from the config" })).toEqual([["- 1a,2"]]);
  });

  test("as with their guards where the code has these no more, but for those that begin with a mistake", () => {
    const mistaken = lesson(3, { mistaken: true });
    const asGuarded = [lesson(1), lesson(2, { deploys: false }), lesson(4), mistaken];
    expect(told(asGuarded, { cut: "from the code" })).toEqual([["+ 1,4", "- 3"], ["+ 2"]]);
    const touching = (number: number) => lesson(number, { touches: [":443"] });
    expect(told([touching(1), touching(2)], { cut: "from the code" })).toEqual([["+ 1", "+ 2"]]);
  });

  test("and come after the one with the guard where their config is asked of that", () => {
    const ways: Way[] = [{ name: "", config: async () => withoutGuard(1, "192.0.2.1") }];
    expect(told([lesson(1, { ways }), lesson(2)])).toEqual([["- 2", "+ 1,2", "- 1"]]);
    expect(told([lesson(1, { ways }), lesson(2)], { cut: "from the config" })).toEqual([
      ["- 2", "+ ", "- 1"],
    ]);
  });

  test("only with those of the very same config, where theirs suits no other", () => {
    const apart = (number: number) => lesson(number, { config: { identity: 1 }, apart: true });
    const own = lesson(4, { deploys: false });
    expect(told([apart(1), lesson(2, { config: { operators: 1 } }), apart(3), own, lesson(5)])).toEqual([
      ["- 1,3", "+ 1,3"],
      ["- 2,5", "+ 2,5"],
      ["- 4", "+ 4"],
    ]);
  });
});

test("every lesson plays each of its halves once, and shared configs agree", () => {
  const groups = planOf(LESSONS);
  const halves = groups.flatMap(({ rounds }) => rounds.flatMap((round) => round.halves));
  expect(halves).toHaveLength(2 * LESSONS.length + 1);
  for (const { rounds } of groups)
    for (const { halves: together } of rounds) {
      const configs = together.map((half) => half.lesson.config ?? {});
      const ways = together.map(({ way }) => (typeof way?.config === "function" ? {} : (way?.config ?? {})));
      expect(() => mergedConfig([...configs, ...ways])).not.toThrow();
    }
  // 29 where none is shared.
  const deploys = groups.filter(({ lessons }) => lessons.every(({ deploys }) => deploys !== false));
  expect(deploys.flatMap(({ rounds }) => rounds)).toHaveLength(9);
});

test("a config of several leaves out all of their guards, and no key has two values", () => {
  const merged = mergedConfig([{ a: [1] }, withoutGuard(3), { a: [1], b: 2 }, withoutGuard(11, "none")]);
  expect(merged).toEqual({ a: [1], b: 2, "tailwart:withoutGuards": { 3: true, 11: "none" } });
  expect(() => mergedConfig([{ a: 1 }, { a: 2 }])).toThrow(/different values of a/);
});
