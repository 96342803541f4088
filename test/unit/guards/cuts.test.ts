import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { syntaxErrorIn, withoutGuard } from "../../guards/cut.ts";
import { CARDS, MISTAKES, PREVENTING, REFUSING } from "../../guards/cuts.ts";
import { besides, readReport } from "../../guards/notice.ts";
import { describe as told, failureOf } from "../../guards/run.ts";
import { ROOT } from "../../guards/tree.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const isThere = (file: string) => existsSync(join(ROOT, file));
const ALL = [...PREVENTING, ...REFUSING];

describe("every guard's cut", () => {
  test.each(ALL)("lesson $lesson: $what: is one place of the code, which still reads as code", (cut) => {
    for (const [file, text] of withoutGuard(cut.edits, read)) {
      expect(text).not.toBe(read(file));
      expect(syntaxErrorIn(file, text)).toBeUndefined();
    }
    for (const file of cut.tests ?? []) expect(isThere(file), file).toBe(true);
  });

  test("of a lesson can be made together with its others, and with the mistake that it refuses", () => {
    for (const { number } of CARDS) {
      const cuts = PREVENTING.filter(({ lesson, lab }) => lesson === number && lab !== false);
      const edits = [...cuts.flatMap((cut) => cut.edits), ...(MISTAKES[number] ?? [])];
      expect(() => withoutGuard(edits, read)).not.toThrow();
    }
  });

  test("is there for each file that a lesson's card says prevents its outage", () => {
    const files = CARDS.flatMap(({ number, preventedBy }) =>
      [...preventedBy.matchAll(/`(\w[^`]+)`/g)].map(([, file]) => `${number} ${file}`),
    );
    const cut = PREVENTING.flatMap(({ lesson, edits }) => edits.map(({ file }) => `${lesson} ${file}`));
    expect(cut).toEqual(expect.arrayContaining(files));
  });
});

describe("a cut", () => {
  const at = (find: string) => () => withoutGuard([{ file: "a.ts", find, replace: "" }], () => "one two two");

  test("whose text is not there, or twice, is refused: its guard has moved", () => {
    expect(at("three")).toThrow(/in a\.ts 0 times.*three/);
    expect(at("two")).toThrow(/in a\.ts 2 times/);
    expect(at("one ")()).toEqual(new Map([["a.ts", "two two"]]));
  });

  test("after which the file is no code is told from one that a test notices", () => {
    expect(syntaxErrorIn("a.ts", "const a = ;")).toMatch(/Expression expected/);
    expect(syntaxErrorIn("a.sh", "const a = ;")).toBeUndefined();
  });

  test("is looked at by the tests beside its files, and those that it names", () => {
    const edits = ["lib/a.ts", "policies/rules/b.ts", "lib/c.sh", "gone.ts"].map((file) => ({
      file,
      find: "",
      replace: "",
    }));
    const found = besides(
      { lesson: 1, what: "", edits, tests: ["test/engine/d.test.ts"] },
      (file) => !file.includes("gone"),
    );
    expect(found).toEqual([
      "test/engine/d.test.ts",
      "test/unit/lib/a.test.ts",
      "test/policy/b.test.ts",
      "test/unit/lib/c.test.ts",
    ]);
  });

  const VERDICT = { lesson: 3, what: "the list", files: ["a.ts"], seconds: 1 };
  const result = (file: string, ...statuses: string[]) => ({
    name: `/tree/test/${file}`,
    status: "failed",
    assertionResults: statuses.map((status, i) => ({
      ...{ status, ancestorTitles: ["a list"] },
      title: `sentence ${i}`,
    })),
  });

  test("is noticed by a test that is red, and by no file that does not load", () => {
    const { red, unloaded, passed } = readReport(
      { testResults: [result("a.test.ts", "passed", "failed"), result("b.test.ts")] },
      "/tree",
    );
    expect(red).toEqual([{ file: "test/a.test.ts", sentence: "a list > sentence 1" }]);
    expect([unloaded, passed]).toEqual([["test/b.test.ts"], 1]);
    expect(told({ ...VERDICT, noticedBy: red })).toBe(
      'lesson 3 · the list cut from a.ts · noticed by test/a.test.ts: "a list > sentence 1" (1 s)',
    );
    expect(failureOf({ ...VERDICT, noticedBy: red })).toBeUndefined();
  });

  test("that nobody notices, or that shows nothing, fails the run", () => {
    expect(failureOf({ ...VERDICT, noticedBy: [] })).toMatch(/the list can be cut .* no test turns red/);
    expect(failureOf({ ...VERDICT, noticedBy: [], error: "a.ts: no such name" })).toMatch(/shows nothing/);
  });
});
