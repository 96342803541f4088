import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { waysToSucceed } from "../../policies/facts/docker/shell.ts";

/** Each way as the words of its pipelines: `a+b` for two commands that both succeeded. */
const ways = (script: string, variables = new Map<string, string>()): string[] | undefined =>
  waysToSucceed(script, { variables })?.map((way) =>
    way.map((pipeline) => pipeline.map((command) => command.words.join(" ")).join("|")).join("+"),
  );

describe("waysToSucceed", () => {
  test.each([
    ["a && b", ["a+b"]],
    ["a || b", ["a", "b"]],
    ["a; b", ["a+b", "b"]],
    ["a\nb", ["a+b", "b"]],
    ["a && b || exit 1", ["a+b"]],
    ["a || exit 1; b", ["a+b"]],
    ["a || true", ["a", ""]],
    ["a && b; true", ["a+b", "a", ""]],
    ["! a", [""]],
    ["a | b && c", ["a|b+c"]],
    [
      "(a && b) || c",
      ["a+b", "a", "c"]
        .filter((way) => way !== "a")
        .concat("a+c")
        .toSorted(),
    ],
    ["{ a; } && b", ["a+b"]],
    ["a & b", ["b"]],
    ["set -e; a; b", ["a+b"]],
    ["set -e; a || true; b", ["a+b", "b"]],
    ["exit 0; a", [""]],
    ["false && a", []],
    ["a; exit $?", ["a"]],
    ["a # && b\n", ["a"]],
    ["'a b' \"c d\" e\\ f", ["a b c d e f"]],
    ["a \\\n && b", ["a+b"]],
    ["a && # then\n b", ["a+b"]],
    ["", [""]],
    ["echo }", ["echo }"]],
  ])("%j succeeds by %j", (script, expected) => {
    expect(ways(script)?.toSorted()).toEqual(expected.toSorted());
  });

  test("fills in the variables that it is given", () => {
    expect(ways("nc \"$HOST\" ${PORT:-5432} ${X} '$HOST'", new Map([["HOST", "db"]]))).toEqual([
      "nc db 5432 ${X} $HOST",
    ]);
  });

  test("keeps what redirections lead to", () => {
    expect(waysToSucceed("exec 3<>/dev/tcp/db/5432 2>&1")?.[0]?.[0]?.[0]).toEqual({
      words: ["exec"],
      redirects: ["/dev/tcp/db/5432", "1"],
    });
  });

  test.each([
    "if a; then b; fi",
    "a 'b",
    "for x in y; do z; done",
    "a <<E\nE",
    "a &> /dev/null",
    "a |& b",
    "(a",
    "a && && b",
    "a )",
    "exit $X",
    "[[ a ]]",
    "{ a",
    "{ a; ",
    "{ }",
    "{ a }",
    "a && }",
    "a | (b)",
    "(a) | b",
    "a || b; ".repeat(8),
  ])("does not pretend to read %j", (script) => {
    expect(waysToSucceed(script)).toBeUndefined();
  });

  /**
   * Random scripts over three commands whose outcomes are then tried, all eight, in the real shell.
   */
  test("agrees with sh about which commands let a random script succeed", () => {
    const command = fc.constantFrom("a", "b", "c", "true", "false", "exit 1", "exit 0");
    const { script } = fc.letrec<{ script: string; simple: string }>((tie) => ({
      simple: fc.oneof(
        { depthSize: "small" },
        command,
        command,
        tie("script").map((s) => `(${s})`),
        tie("script").map((s) => `{ ${s}; }`),
        command.map((s) => `! ${s}`),
      ),
      script: fc
        .tuple(
          fc.boolean(),
          fc.array(fc.tuple(tie("simple"), fc.constantFrom(" && ", " || ", "; ", " | ", "\n")), {
            minLength: 1,
            maxLength: 4,
          }),
          tie("simple"),
        )
        .map(
          ([errexit, list, last]) =>
            (errexit ? "set -e; " : "") +
            list
              .map(([simple, join]) => (join === " | " ? `a${join}b; ${simple}; ` : simple + join))
              .join("") +
            last,
        ),
    }));
    fc.assert(
      fc.property(script, (text) => {
        const found = waysToSucceed(text);
        fc.pre(found !== undefined); // more ways through it than are followed
        const outcomes = ["", "a", "b", "c", "ab", "ac", "bc", "abc"];
        const program = outcomes
          .map(
            (ok) =>
              `(a() { ${ok.includes("a") ? "true" : "false"}; }; b() { ${ok.includes("b") ? "true" : "false"}; }; c() { ${ok.includes("c") ? "true" : "false"}; }; ${text}\n); echo $?`,
          )
          .join("\n");
        const statuses = execFileSync("sh", ["-c", program], { encoding: "utf8" }).trim().split("\n");
        for (const [i, ok] of outcomes.entries()) {
          // A way is open when every command on it succeeds; the shell may succeed only if some way
          // is open.
          const open = found.some((way) =>
            way.every((pipeline) => ok.includes(pipeline.at(-1)?.words[0] ?? "")),
          );
          if (statuses[i] === "0") expect(open, `${text} with ${ok}`).toBe(true);
        }
      }),
      { numRuns: Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 150) > 1000 ? 2000 : 150 },
    );
  }, 300_000);
});
