import fc from "fast-check";
import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { foreignParts, mergePolicy, type OwnEntries } from "../../../../lib/tailnet/policy-document.ts";

const space = fc.constantFrom(
  "",
  " ",
  "\n",
  "\r\n",
  "\t",
  "\n    ",
  ' // a comment, [ " {\n',
  '/* ] " } */',
  "/*\n * two lines\n */",
  " // é\r\n",
);
const word = fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text));

/**
 * A HuJSON text of random shape, with white space and comments wherever they may stand, and
 * trailing commas.
 */
const value: fc.Arbitrary<string> = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    word,
    fc.constantFrom("1", "true", "null"),
    tie("array"),
    tie("object"),
  ),
  array: list("[", "]", tie("value")),
  object: list(
    "{",
    "}",
    fc.tuple(word, space, space, tie("value")).map(([key, a, b, item]) => `${key}${a}:${b}${item}`),
  ),
})).value;

function list(open: string, close: string, item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const spaced = fc.tuple(space, item, space).map((parts) => parts.join(""));
  return fc.tuple(fc.array(spaced, { maxLength: 4 }), fc.boolean(), space).map(([items, trailing, blank]) => {
    const comma = trailing && items.length > 0 ? "," : "";
    return `${open}${items.join(",")}${comma}${blank}${close}`;
  });
}

const grant = list(
  "{",
  "}",
  fc.tuple(space, value).map(([blank, item]) => `"note"${blank}: ${item}`),
);
const sections = fc.record(
  {
    grants: list("[", "]", grant),
    tagOwners: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 3 }).chain((tags) =>
      fc.tuple(space, space, fc.boolean()).map(([a, b, trailing]) => {
        const members = tags.map((tag) => `${a}"tag:x${tag}":${b}[]`).join(",");
        return `{${members}${trailing && tags.length > 0 ? "," : ""}${a}}`;
      }),
    ),
    tests: list("[", "]", value),
    hosts: value,
  },
  { requiredKeys: ["grants"] },
);
const base = fc.tuple(sections, space, space, space, fc.boolean()).map(([parts, a, b, c, trailing]) => {
  const members = Object.entries(parts).map(([key, text]) => `${a}"${key}"${b}:${c}${text}${a}`);
  return `${b}{${members.join(",")}${trailing ? "," : ""}${c}}${a}`;
});

const tag = fc.stringMatching(/^tag:[a-w][a-z]{0,6}$/);
const own: fc.Arbitrary<OwnEntries> = fc.record({
  grants: fc.array(
    fc.record({ src: fc.array(tag), dst: fc.array(tag), ip: fc.array(fc.constantFrom("tcp:25", "tcp:587")) }),
    { maxLength: 3 },
  ),
  tagOwners: fc.dictionary(tag, fc.array(fc.constantFrom("group:ops", "a@b.c"), { maxLength: 2 }), {
    maxKeys: 3,
  }),
  tests: fc.array(
    fc.record({ src: tag, proto: fc.constant("tcp" as const), accept: fc.array(tag.map((t) => `${t}:25`)) }),
    { maxLength: 2 },
  ),
});

const options = { allowAll: "accept" as const };
const read = (text: string) => parse(text, [], { allowTrailingComma: true }) as Record<string, unknown[]>;

describe("for any base and any entries", () => {
  test("unmerging gives back the base, byte for byte", () => {
    fc.assert(
      fc.property(base, own, (text, entries) => {
        expect(foreignParts(mergePolicy(text, entries, options))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("merging is idempotent, and forgets what was merged before", () => {
    fc.assert(
      fc.property(base, own, own, (text, first, second) => {
        const merged = mergePolicy(text, second, options);
        expect(mergePolicy(merged, second, options)).toBe(merged);
        expect(mergePolicy(mergePolicy(text, first, options), second, options)).toBe(merged);
      }),
      { numRuns: 300 },
    );
  });

  test("the merged document means: ours, then the base's", () => {
    fc.assert(
      fc.property(base, own, (text, entries) => {
        const [before, after] = [read(text), read(mergePolicy(text, entries, options))];
        expect(after["grants"]).toEqual([...entries.grants, ...before["grants"]!]);
        expect(after["tests"] ?? []).toEqual([...entries.tests!, ...(before["tests"] ?? [])]);
        expect({ ...after["tagOwners"] }).toEqual({ ...before["tagOwners"], ...entries.tagOwners });
        expect(after["hosts"]).toEqual(before["hosts"]);
      }),
      { numRuns: 300 },
    );
  });
});
