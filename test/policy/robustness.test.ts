import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readHealthTest } from "../../policies/facts/docker/health-test.ts";
import { hostsIn } from "../../policies/facts/relays/settings.ts";
import { decodeText } from "../../policies/facts/decoded-texts.ts";

const options = { numRuns: Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 500) };

/** Text of the kinds that the parsers take apart, mostly broken. */
const pieces = fc.constantFrom(
  ..."'\"`\\$(){}[]<>|&;!#=:/@,.\n \t",
  "&&",
  "||",
  "$(",
  "nc -z h 1",
  "sh -c ",
  "exit ",
  "if ",
  "100.64.0.1",
  "//",
  "/*",
  '{"a":',
  "[a]\n",
);
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.array(pieces, { maxLength: 40 }).map((list) => list.join("")),
  fc.json(),
);

test("no text makes a parser throw: an exception would end the whole preview", () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(decodeText("here", "key", value)).toBeInstanceOf(Array);
      expect(hostsIn(value)).toBeInstanceOf(Array);
      expect(readHealthTest(["CMD-SHELL", value], new Map())).toHaveProperty("kind");
      expect(readHealthTest(["CMD", ...value.split(" ")], new Map())).toHaveProperty("kind");
    }),
    options,
  );
});

test.each([
  ["deeply nested JSON", "[".repeat(200_000)],
  ["a long list of commands", "a; ".repeat(50_000)],
  ["deeply nested groups", "(".repeat(100_000)],
  ["many negations", "! ".repeat(100_000)],
  ["many alternatives", "a && b || ".repeat(5_000)],
])("%s neither throws nor takes long", (_, value) => {
  const started = performance.now();
  expect(decodeText("here", "key", value)).toBeInstanceOf(Array);
  expect(readHealthTest(["CMD-SHELL", value], new Map()).kind).toMatch(/^(?:unreadable|requires)$/);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("an address inside what cannot be parsed as JSON is still read", () => {
  expect(decodeText("here", "key", '{"a": "100.64.0.1"').map((piece) => piece.text)).toEqual([
    '{"a": "100.64.0.1"',
  ]);
});
