import { expect, test } from "vitest";

import { onOneLine, wrap } from "../../../lib/wrap.ts";

test("a text is broken at its blanks, and each line is as long as it may be", () => {
  expect(wrap("a bc d", 4, "- ", "  ")).toEqual(["- a", "  bc", "  d"]);
  expect(wrap("a bc d", 6, "- ", "  ")).toEqual(["- a bc", "  d"]);
  expect(wrap("one two", 7)).toEqual(["one two"]);
});

test("a word that is longer than a line keeps one to itself, and blanks in a row stay", () => {
  expect(wrap("a https://example.org/long b", 8)).toEqual(["a", "https://example.org/long", "b"]);
  expect(wrap("a  b", 80)).toEqual(["a  b"]);
  expect(wrap("", 80, "  ")).toEqual(["  "]);
});

test("line ends and runs of blanks become one blank each", () => {
  expect(onOneLine("a\n  b\tc")).toBe("a b c");
});
