import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holdsFor, resultOf } from "../../policies/facts/stalwart/expression.ts";

describe("an expression of Stalwart gives", () => {
  test.each([
    ["a name in single quotes", "'smarthost'", ["smarthost"]],
    ["a name in double quotes", ' "smarthost" ', ["smarthost"]],
    ["a name with an escaped quote", String.raw`'it\'s'`, ["it's"]],
    ["a name in parentheses", "(('smarthost'))", ["smarthost"]],
    ["both names of if_then", "if_then(size > 9, 'big', 'mx')", ["big", "mx"]],
    [
      "every name of an if_then in another",
      "if_then(a(1, 2), 'a,b', if_then(x, ('c'), \"d\"))",
      ["a,b", "c", "d"],
    ],
  ])("%s", (_, expression, names) => {
    expect(resultOf(expression)).toEqual({ kind: "names", names });
  });

  test.each([
    ["a word without quotes", "smarthost", /without quotes/],
    ["the name of a built-in route without quotes", "mx", /without quotes/],
    ["a word with a minus, one side of which is a variable", "size-limit", /without quotes/],
    ["nothing", "  ", /is empty/],
    ["a quote that stays open", "'smarthost", /not closed/],
    ["a branch of if_then that is refused", "if_then(1, smarthost, size)", /without quotes/],
  ])("nothing, since Stalwart refuses %s", (_, expression, because) => {
    expect(resultOf(expression)).toEqual({
      kind: "refused",
      because: expect.stringMatching(because) as string,
    });
  });

  test.each([
    ["a variable", "sender_domain"],
    ["a difference of two variables", "expires_in-retry_num"],
    ["a call", "key_get('routes', rcpt_domain)"],
    ["a sum", "'relay-' + rcpt_domain"],
    ["two strings", "'a' 'b'"],
    ["an if_then with a branch that must be evaluated", "if_then(1, 'a', sender)"],
    ["an if_then with too few arguments", "if_then(1, 'a')"],
    ["an if_then with too many arguments", "if_then(1, 'a', 'b', 'c')"],
    ["what is too long to look at", `'${"a".repeat(3000)}'`],
  ])("what only Stalwart can tell, of %s", (_, expression) => {
    expect(resultOf(expression)).toEqual({ kind: "unreadable" });
  });
});

describe("a condition", () => {
  test.each([
    ["is_local_domain('*', rcpt_domain)", "local"],
    ["is_local_domain('', rcpt_domain)", "local"],
    ["( is_local_domain(rcpt_domain) )", "local"],
    ["is_local_address('*', rcpt)", "local"],
    ["is_local_domain('*', rcpt_domain) && size < 9", "local"],
    ["sender == 'a|b' && is_local_domain('*', rcpt_domain)", "local"],
    ["!is_local_domain('*', rcpt_domain)", "not-local"],
    ["true", "always"],
    [" 1 ", "always"],
    ["(false)", "never"],
    ["0", "never"],
    ["is_local_domain('*', rcpt_domain) || size < 9", "some"],
    ["is_local_domain('*', rcpt_domain) && size < 9 || true", "some"],
    ["is_local_domain('*', sender_domain)", "some"],
    ["is_local_domain('*', rcpt)", "some"],
    ["is_local_domain('*', rcpt_domain) == 0", "some"],
    // Holds for unknown users of a local domain too, so it leaves no recipient elsewhere behind
    // only by accident.
    ["!is_local_address('*', rcpt)", "some"],
    ["!is_local_domain('*', rcpt_domain) && size < 9", "some"],
    ["retry_num > 0", "some"],
    [`${" ".repeat(3)}${"(".repeat(3000)}true`, "some"],
  ] as const)("%s holds for: %s", (condition, holds) => {
    expect(holdsFor(condition)).toBe(holds);
  });
});

test("no text makes the reader throw or take long", () => {
  const pieces = fc.constantFrom(..."'\"()!&|,\\ ", "if_then(", "is_local_domain(", "rcpt_domain", "a");
  const text = fc.array(pieces, { maxLength: 200 }).map((parts) => parts.join(""));
  const started = performance.now();
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (value) => {
      expect(resultOf(value)).toHaveProperty("kind");
      expect(holdsFor(value)).toMatch(/^(?:local|not-local|always|never|some)$/);
    }),
    { numRuns: 500 },
  );
  for (const long of ["(".repeat(2000), "if_then(".repeat(250), "'\\".repeat(1000), "!".repeat(2000)]) {
    expect(resultOf(long).kind).toMatch(/unreadable|refused/);
    expect(holdsFor(long)).toBe("some");
  }
  expect(performance.now() - started).toBeLessThan(10_000);
});
