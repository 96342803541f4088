import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../../lib/errors.ts";
import {
  diffPolicy,
  foreignParts,
  mergePolicy,
  type OwnEntries,
} from "../../../../lib/tailnet/policy-document.ts";

const own: OwnEntries = {
  grants: [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }],
  tagOwners: { "tag:stalwart": [], "tag:mail": ["group:ops"] },
  tests: [{ src: "tag:stalwart", proto: "tcp", accept: ["tag:mail:587"], deny: ["tag:mail:22"] }],
};

const BASE = `// the family's tailnet
{
  "groups": { "group:ops": ["ann@"], },
  "grants": [ // who reaches what
    // the NAS
    {"src":   ["group:ops"], "dst": ["tag:nas"], "ip": ["*"]}
  ],
  "tagOwners": {
    "tag:nas": ["group:ops"]
  },
}
`;

const value = (text: string) => parse(text, [], { allowTrailingComma: true }) as Record<string, unknown>;

function refusal(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("merging into the user's policy file", () => {
  test("a readable document: tailwart's lines are marked, the user's stay", () => {
    expect(mergePolicy(BASE, own)).toBe(`// the family's tailnet
{
  // tailwart: begin, made from tailwart's flow table: edits up to the end mark are refused
  "tests": [
    { "src": "tag:stalwart", "proto": "tcp", "accept": ["tag:mail:587"], "deny": ["tag:mail:22"] },
  ],
  // tailwart: end
  "groups": { "group:ops": ["ann@"], },
  "grants": [ // who reaches what
    // tailwart: begin, made from tailwart's flow table: edits up to the end mark are refused
    { "src": ["tag:stalwart"], "dst": ["tag:mail"], "ip": ["tcp:587"] },
    // tailwart: end
    // the NAS
    {"src":   ["group:ops"], "dst": ["tag:nas"], "ip": ["*"]}
  ],
  "tagOwners": {
    // tailwart: begin, made from tailwart's flow table: edits up to the end mark are refused
    "tag:stalwart": [],
    "tag:mail": ["group:ops"],
    // tailwart: end
    "tag:nas": ["group:ops"]
  },
}
`);
  });

  test("both parties' entries are in the document", () => {
    expect(value(mergePolicy(BASE, own))).toEqual({
      groups: { "group:ops": ["ann@"] },
      grants: [...own.grants, { src: ["group:ops"], dst: ["tag:nas"], ip: ["*"] }],
      tagOwners: { ...own.tagOwners, "tag:nas": ["group:ops"] },
      tests: own.tests,
    });
  });

  test("merging again, with other entries and back, changes only the regions", () => {
    const once = mergePolicy(BASE, own);
    expect(mergePolicy(once, own)).toBe(once);
    const { tests: _, ...withoutTests } = own;
    const less = mergePolicy(once, withoutTests);
    expect(less).not.toContain("tests");
    expect(foreignParts(less)).toBe(BASE);
    expect(mergePolicy(less, own)).toBe(once);
  });

  test.each([
    ["on one line", '{"grants":[{"src":["a@b.c"],"dst":["tag:x"],"ip":["22"]}],"tagOwners":{"tag:x":[]}}'],
    ["empty sections", '{ "grants": [], "tagOwners": {}, "tests": [ ], }'],
    ["Windows line ends", BASE.replaceAll("\n", "\r\n")],
    ["only old acls", '{\n\t"acls": []\n}'],
    [
      "comments and marks in strings",
      '{\n "grants": [], "hosts": {"// tailwart: begin": "10.0.0.1"} // [\n}',
    ],
    ["a comment before the first entry's bracket", '{ "grants": /* mine */ [ /* all */\n] }'],
    ["no line end at the end", '{ "grants": [\n] } /* end */'],
  ])("a base %s comes back byte for byte", (_, base) => {
    const merged = mergePolicy(base, own);
    expect(merged).not.toBe(base);
    expect(foreignParts(merged)).toBe(base);
    expect(value(merged)["tests"]).toEqual(own.tests);
    expect(value(merged)["grants"]).toEqual([
      ...own.grants,
      ...((value(base)["grants"] as unknown[] | undefined) ?? []),
    ]);
  });

  test("a region keeps the file's own line ends", () => {
    expect(mergePolicy(BASE.replaceAll("\n", "\r\n"), own)).not.toMatch(/[^\r]\n/);
  });

  test("a tag that the user gave to the same owners stays the user's line", () => {
    const base = '{ "grants": [], "tagOwners": { "tag:stalwart": [], "tag:mail": ["group:ops"] } }';
    expect(mergePolicy(base, { ...own, grants: [], tests: [] })).toBe(base);
  });
});

describe("what is refused", () => {
  test.each([
    ["not HuJSON", '{ "grants": [ }', /not HuJSON.*line 1, column 15/, /comments/],
    ["not an object", "[]", /one object/, /grants/],
    [
      "a last comment without line end",
      '{ "grants": [] } // end',
      /comment at line 1, column 18/,
      /line break/,
    ],
    ["a carriage return alone", '{ // comment?\r "grants": [] }', /carriage return without/, /LF/],
    ["a byte order mark", '\ufeff{ "grants": [] }', /byte order mark/, /UTF-8/],
    ["neither grants nor acls", "{}", /neither "grants" nor "acls"/, /"grants": \[\]/],
    [
      "an allow-all grant",
      '{ "grants": [\n{"src":["*"],"dst":["*"],"ip":["*"]}] }',
      /grants\[0\] at line 2, column 1 lets everybody/,
      /autogroup:self/,
    ],
    [
      "an allow-all acl",
      '{ "acls": [{"action":"accept","src":["*"],"dst":["*:*"]}] }',
      /acls\[0\]/,
      /autogroup:self/,
    ],
    [
      "our tag with other owners",
      '{ "grants": [], "tagOwners": {"tag:stalwart": ["eve@x.y"]} }',
      /tag:stalwart is owned by \["eve@x.y"\]/,
      /another tag/,
    ],
    [
      "a section of another type",
      '{ "grants": {} }',
      /"grants" at line 1, column 13 is not an array/,
      /"grants": \[\]/,
    ],
    ["a section twice", '{ "grants": [], "grants": [] }', /stands twice/, /one section/],
    [
      "a section in other case",
      '{ "acls": [], "Grants": [] }',
      /must be written "grants"/,
      /write: "grants"/,
    ],
    ["half a region", '{ "grants": [\n// tailwart: begin\n] }', /no counterpart/, /delete both marks/],
    [
      "an entry before a mark",
      '{ "grants": [\n// tailwart: begin\n{}, // tailwart: end\n] }',
      /stands before/,
      /line of its own/,
    ],
  ])("%s, saying where and what to write", (_, base, message, hint) => {
    const error = refusal(() => mergePolicy(base, own));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(error.path).toBeTruthy();
  });

  test("an allow-all base is taken when that is asked for", () => {
    const base = '{ "grants": [{"src":["*"],"dst":["*"],"ip":["*"]}] }';
    expect(foreignParts(mergePolicy(base, own, { allowAll: "accept" }))).toBe(base);
  });
});

describe("drift", () => {
  const desired = mergePolicy(BASE, own);

  test("no difference for the same bytes", () => {
    expect(diffPolicy(desired, desired)).toEqual({ foreign: "", own: "" });
  });

  test("a hand edit in our region and one in a foreign part are told apart", () => {
    const live = desired
      .replace("tcp:587", "tcp:*")
      .replace('"tag:nas"], "ip": ["*"]', '"tag:nas"], "ip": ["443"]');
    const { foreign, own: ours } = diffPolicy(live, desired);
    expect(foreign).toContain(
      '- {"src":   ["group:ops"], "dst": ["tag:nas"], "ip": ["443"]}'.replace("- ", "-     "),
    );
    expect(foreign).not.toContain("tcp:");
    expect(ours).toContain('"ip": ["tcp:*"]');
    expect(ours).toMatch(/\+ .*"ip": \["tcp:587"\]/);
    expect(ours).not.toContain("443");
  });

  test("a difference in white space alone is visible", () => {
    expect(diffPolicy(desired.replace("// the NAS", "// the NAS "), desired).foreign).toMatch(
      /- {5}\/\/ the NAS /,
    );
  });
});
