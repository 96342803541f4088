import { describe, expect, test } from "vitest";
import { instrument, withCaches } from "../../mutation/mutants.ts";
import { makeSwitchboard, SWITCHBOARD, type Switchboard } from "../../mutation/switchboard.ts";

/** A file's functions with mutants built in, and the switch that turns them on. */
function built<Functions>(text: string): {
  functions: Functions;
  board: Switchboard;
  idOf: (change: string, code?: string) => number;
} {
  const { code, mutants } = instrument("file.ts", text, 10);
  const board = makeSwitchboard();
  const names = [...text.matchAll(/^(?:function|const) (\w+)/gm)].map(([, name]) => name).join(", ");
  const make = new Function(SWITCHBOARD, `${code}\nreturn { ${names} };`) as (
    board: Switchboard,
  ) => Functions;
  const idOf = (change: string, of?: string): number => {
    const found = mutants.filter((one) => one.change === change && (of === undefined || one.code === of));
    expect(found).toHaveLength(1);
    return found[0]?.id ?? -1;
  };
  return { functions: make(board), board, idOf };
}

describe("a file with mutants built in", () => {
  const TEXT = `
function sign(n) {
  if (n < 0) return "minus";
  else return n === 0 ? "zero" : "plus";
}`;
  type Sign = { sign: (n: number) => string };
  const signs = ({ sign }: Sign) => [-1, 0, 1].map(sign);

  test("behaves as before while no mutant is on, and keeps its lines", () => {
    const { functions } = built<Sign>(TEXT);
    expect(signs(functions)).toEqual(["minus", "zero", "plus"]);
    expect(instrument("file.ts", TEXT, 0).code.split("\n")).toHaveLength(TEXT.split("\n").length);
  });

  test.each([
    ["if (!(…))", ["plus", "minus", "minus"]],
    ["if (false)", ["plus", "zero", "plus"]],
    ["if (true)", ["minus", "minus", "minus"]],
    ["!(…) ? :", ["minus", "plus", "zero"]],
    ["false ? :", ["minus", "plus", "plus"]],
    ["true ? :", ["minus", "zero", "zero"]],
  ])("does %s when that mutant is on, and nothing else", (change, expected) => {
    const { functions, board, idOf } = built<Sign>(TEXT);
    board.reset(idOf(change));
    expect(signs(functions)).toEqual(expected);
    board.reset();
    expect(signs(functions)).toEqual(["minus", "zero", "plus"]);
  });

  test("tells which mutants were reached, by the ids that the file has got", () => {
    const { functions, board, idOf } = built<Sign>(TEXT);
    functions.sign(-1);
    expect([...board.reached]).toEqual([10, 11, 12]);
    board.reset();
    functions.sign(1);
    expect(board.reached).toContain(idOf("!(…) ? :"));
  });

  test("has each part of && and || inverted and left out", () => {
    const text = "const both = (a, b, c) => a && b && c;\nconst either = (a, b) => a || b;";
    const { functions, board, idOf } = built<Record<"both" | "either", (...all: boolean[]) => boolean>>(text);
    board.reset(idOf("… && !(…)", "b"));
    expect(functions.both(true, false, true)).toBe(true);
    expect(functions.both(true, true, true)).toBe(false);
    board.reset(idOf("… && true", "c"));
    expect(functions.both(true, true, false)).toBe(true);
  });

  test("has what predicates answer inverted", () => {
    const text =
      "const small = (list) => list.filter((n) => n < 3);\nfunction same(a, b) { return a === b; }";
    const { functions, board, idOf } = built<{ small: (list: number[]) => number[] }>(text);
    board.reset(idOf("!(…)", "n < 3"));
    expect(functions.small([1, 5])).toEqual([5]);
    expect(instrument("file.ts", text, 0).mutants.map(({ code }) => code)).toContain("a === b");
  });

  test("leaves types, and what is worked out while the module loads, alone", () => {
    const text = "type T<A> = A extends string ? 1 : 2;\nconst at = 1 < 2 ? 3 : 4;";
    expect(instrument("file.ts", text, 0)).toEqual({ code: text, mutants: [] });
  });
});

describe("a policy's judging functions", () => {
  const TEXT = `
const definePolicy = (policy) => policy;
const verdict = { findings: ["f"], notJudged: ["n"] };
const judgeStack = async () => verdict;
const policy = definePolicy({ id: "x", judgeResource: () => verdict, judgeStack });`;
  type Policy = { policy: Record<"judgeResource" | "judgeStack", () => unknown> };

  test.each([
    ["answers nothing", { findings: [], notJudged: [] }],
    ["finds nothing", { findings: [], notJudged: ["n"] }],
    ["lists nothing as not judged", { findings: ["f"], notJudged: [] }],
  ])("%s, where the definition names them and where it only mentions them", async (change, expected) => {
    const { functions, board } = built<Policy>(TEXT);
    for (const judge of ["judgeResource", "judgeStack"] as const) {
      const { mutants } = instrument("file.ts", TEXT, 10);
      const mutant = mutants.find((one) => one.change === change && one.code.startsWith(judge));
      board.reset(mutant?.id);
      expect(await functions.policy[judge]()).toEqual(expected);
      const other = judge === "judgeStack" ? "judgeResource" : "judgeStack";
      expect(await functions.policy[other]()).toEqual({ findings: ["f"], notJudged: ["n"] });
    }
  });
});

test("a loop that a mutant makes endless ends with an error", () => {
  for (const text of [
    "function f(n) { while (true) { if (n-- < 0) break; } }",
    "function f(n) { for (;;) { if (n-- < 0) return; } }",
    "function f(n) { for (let i = 0; i < 5; i++) { if (n < 5) i--; } }",
  ]) {
    const { functions, board, idOf } = built<{ f: (n: number) => void }>(text);
    functions.f(9);
    board.reset(idOf(text.includes("i--") ? "if (true)" : "if (false)"));
    expect(() => functions.f(9)).toThrow("the mutant loops for ever");
  }
});

test("a module's caches are emptied between mutants, also where nothing is mutated", () => {
  const text = "const known = new Map<string, number>();\nconst set = (k) => known.set(k, new Map()).size;";
  for (const code of [withCaches("file.ts", text), instrument("file.ts", text, 0).code]) {
    const board = makeSwitchboard();
    const body = `${code.replace("<string, number>", "")}\nreturn { known, set };`;
    const { known, set } = new Function(SWITCHBOARD, body)(board) as {
      known: Map<string, unknown>;
      set: (key: string) => number;
    };
    set("a");
    expect(set("b")).toBe(2);
    board.reset(1);
    expect(known.size).toBe(0);
  }
});
