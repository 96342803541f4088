import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { allPolicies } from "../../policies/rules/index.ts";
import { policiesDoc } from "../../policies/doc.ts";
import { definePolicy, type Finding } from "../../policies/framework/policy.ts";
import { exceptionsPolicy } from "../../policies/framework/exceptions-policy.ts";
import { Exceptions, matches, parseExceptions } from "../../policies/framework/exceptions.ts";
import { PackRun, programDirectory } from "../../policies/framework/pack-state.ts";
import { toSdkPolicy } from "../../policies/framework/sdk-policy.ts";
import { askServed, urnOf, type TestResource } from "./harness.ts";

const TODAY = "2026-11-23";
const IDS = ["no-bad-thing", "no-odd-stack"];
const WEB = "urn:pulumi:test::tailwart::docker:index/container:Container::web";
const entry = { policy: "no-bad-thing", urn: WEB, reason: "the vendor mends it", expires: "2026-12-31" };
const fileOf = (...exceptions: object[]): string => JSON.stringify({ exceptions });

describe("the file of exceptions", () => {
  const parse = (text: string) => parseExceptions(text, "policy-exceptions.jsonc", IDS);
  const refusal = (text: string): string => {
    try {
      parse(text);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it was not refused");
  };

  test("is JSON with comments and trailing commas", () => {
    const text = `{ // why\n "exceptions": [${JSON.stringify(entry)}, ], }`;
    expect(parse(text)).toEqual([{ at: "exceptions[0]", ...entry }]);
    expect(parse('{ "exceptions": [] }')).toEqual([]);
    const others = [entry, { ...entry, policy: "no-odd-stack" }, { ...entry, urn: "*:Container::db" }];
    expect(parse(fileOf(...others))).toHaveLength(3);
  });

  test.each([
    WEB,
    "urn:pulumi:*::docker:index/container:Container::web",
    "*::docker:index/container:Container::legacy-*",
    "*Container::web",
    "urn:pulumi:prod::shop::*Container::web",
    "urn:pulumi:test::tailwart::a:b:C$docker:index/container:Container::web::of::two",
  ])("takes a pattern with a type and a name: %s", (urn) => {
    expect(parse(fileOf({ ...entry, urn }))).toMatchObject([{ urn }]);
  });

  test("takes one exception for each place of a resource", () => {
    const places = [{ ...entry, where: "image" }, { ...entry, where: "envs (A)" }, entry];
    expect(parse(fileOf(...places))).toHaveLength(3);
    expect(refusal(fileOf(places[0]!, places[0]!))).toContain("exceptions[1] repeats exceptions[0]");
  });

  test.each([
    ['{\n "exceptions": [}', "policy-exceptions.jsonc: line 2 is no JSON"],
    ["[]", "holds no list of exceptions"],
    ["null", "holds no list of exceptions"],
    ['{ "exceptions": {} }', "holds no list of exceptions"],
    ['{ "exceptions": [], "exception": [] }', "exception is no key of this file"],
    [
      '{ "exceptions": ["no-bad-thing"] }',
      "exceptions[0] accepts an object with policy, urn, where, reason, expires",
    ],
    [fileOf(entry, { ...entry, policy: "no-bad-thin" }), "exceptions[1].policy accepts the id of a policy"],
    [fileOf({ ...entry, until: "2026-12-31" }), "exceptions[0].until is no key of an exception"],
    [fileOf({ ...entry, reason: undefined }), "exceptions[0].reason is missing"],
    [fileOf({ ...entry, reason: " " }), "exceptions[0].reason accepts a sentence"],
    [fileOf({ ...entry, expires: undefined }), "exceptions[0].expires is missing"],
    [fileOf({ ...entry, expires: "2026-02-30" }), "exceptions[0].expires accepts a day as YYYY-MM-DD"],
    [fileOf({ ...entry, expires: "2026-13-01" }), "exceptions[0].expires accepts a day as YYYY-MM-DD"],
    [fileOf({ ...entry, expires: "2026-12" }), "exceptions[0].expires accepts a day as YYYY-MM-DD"],
    [fileOf({ ...entry, expires: "31.12.2026" }), "exceptions[0].expires accepts a day as YYYY-MM-DD"],
    [fileOf({ ...entry, expires: 20_261_231 }), "exceptions[0].expires accepts a day as YYYY-MM-DD"],
    [fileOf({ ...entry, urn: "" }), "exceptions[0].urn accepts a URN"],
    ...[
      "*",
      "urn:pulumi:*::*",
      "urn:pulumi:prod::*",
      "urn:pulumi:prod::shop::*",
      "urn:pulumi:prod::shop::docker*",
      "urn:pulumi:prod::*::web",
      "urn:pulumi:prod::web",
      "urn:pulumi:prod::shop::docker:index/container:Container::*",
      "*docker*",
      "*::*::web",
      "*web",
    ].map((urn) => [fileOf({ ...entry, urn }), "exceptions[0].urn accepts a URN with a type and a name"]),
    [fileOf({ ...entry, where: "" }), "exceptions[0].where accepts the place that the finding names"],
    [
      fileOf(entry, { ...entry, reason: "again" }),
      "exceptions[1] repeats exceptions[0]: no-bad-thing on urn:",
    ],
  ])("is refused with the key's path: %s", (text, message) => {
    expect(refusal(text)).toContain(message);
    expect(refusal(text)).toMatch(/^Policy exceptions: policy-exceptions\.jsonc: /);
  });

  test("is refused with all that is wrong in it, and without a stack", () => {
    const message = refusal(fileOf({ ...entry, reason: "" }, { ...entry, expires: "soon" }));
    expect(message).toContain("exceptions[0].reason");
    expect(message).toContain("exceptions[1].expires");
    expect(() => parse("[]")).toThrow(
      expect.objectContaining({ stack: expect.not.stringContaining("    at ") as string }) as Error,
    );
  });
});

describe("a pattern", () => {
  test.each([
    [WEB, true],
    ["urn:pulumi:*::web", true],
    ["*::docker:index/container:Container::*", true],
    ["*web", true],
    ["**web", true],
    ["web", false],
    ["urn:pulumi:prod::*::web", false],
    [`${WEB}2`, false],
    [WEB.slice(0, -1), false],
    ["urn:pulumi:test::tailwart::docker.index/container.Container::web", false],
  ])("%s against the URN of web: %s", (pattern, expected) => expect(matches(pattern, WEB)).toBe(expected));

  test("matches characters that mean something in a regular expression as they are", () => {
    expect(matches("urn:a$b(c)[d]+", "urn:a$b(c)[d]+")).toBe(true);
    expect(matches("urn:a+", "urn:aa")).toBe(false);
  });
});

describe("an exception", () => {
  const all = (today: string, ...entries: object[]) =>
    new Exceptions("file", parseExceptions(fileOf(...entries), "file", IDS), today);

  test("holds through its last day and not after it", () => {
    expect(all("2026-12-31", entry).cover("no-bad-thing", WEB, "image")).toMatchObject(entry);
    const later = all("2027-01-01", entry);
    expect(later.cover("no-bad-thing", WEB, "image")).toBeUndefined();
    expect(later.expired).toMatchObject([entry]);
    expect(later.inForce).toEqual([]);
  });

  test("for one place does not hide the next one", () => {
    const some = all(TODAY, { ...entry, where: "envs (DB_*)" });
    expect(some.cover("no-bad-thing", WEB, "envs (URL)")).toBeUndefined();
    expect(some.unused(WEB)).toHaveLength(1);
    expect(some.cover("no-bad-thing", WEB, "envs (DB_HOST)")).toMatchObject({ where: "envs (DB_*)" });
    expect(some.unused(WEB)).toEqual([]);
  });

  test("covers its policy alone", () =>
    expect(all(TODAY, entry).cover("no-odd-stack", WEB, "image")).toBeUndefined());

  test("is unused until it covers a finding, in the stacks that its pattern can name", () => {
    const exceptions = all(
      TODAY,
      entry,
      { ...entry, urn: "*:Container::db" },
      { ...entry, urn: "urn:pulumi:prod::tailwart::*:Container::web" },
      { ...entry, urn: "urn:pulumi:te*::*:Container::gone" },
    );
    const idle = () => exceptions.unused(WEB).map(({ at }) => at);
    expect(idle()).toEqual(["exceptions[0]", "exceptions[1]", "exceptions[3]"]);
    exceptions.cover("no-bad-thing", WEB, "image");
    expect(idle()).toEqual(["exceptions[1]", "exceptions[3]"]);
    expect(exceptions.unused(WEB.replace(":test:", ":prod:")).map(({ at }) => at)).toEqual([
      "exceptions[1]",
      "exceptions[2]",
    ]);
  });
});

test.each(["POLICIES.md", "policies/README.md"])("the example in %s is a file that is accepted", (page) => {
  const text =
    page === "POLICIES.md" ? policiesDoc() : readFileSync(join(import.meta.dirname, "../..", page), "utf8");
  const [, example = ""] = /```jsonc\n(.+?)```/s.exec(text) ?? [];
  const ids = allPolicies.map(({ id }) => id);
  const [parsed, ...more] = parseExceptions(example, page, ids);
  expect(more).toEqual([]);
  expect(
    matches(parsed?.urn ?? "", "urn:pulumi:prod::shop::docker:index/container:Container::legacy-web"),
  ).toBe(true);
});

describe("the program's directory", () => {
  let dir: string;
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "tailwart-exceptions-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test("is the nearest one with a Pulumi.yaml, from where the pack is started", () => {
    const inside = join(dir, "node_modules/tailwart-policies");
    mkdirSync(inside, { recursive: true });
    expect(programDirectory(inside)).toBe(inside);
    writeFileSync(join(dir, "Pulumi.yaml"), "");
    expect(programDirectory(inside)).toBe(dir);
    expect(programDirectory(dir)).toBe(dir);
  });
});

describe("a run of the pack", () => {
  const about = {
    severity: "high",
    enforcementLevel: "mandatory",
    remediation: "R.",
    url: "u",
    why: "w",
  } as const;
  const finding: Finding = { where: "image", what: "is bad", instead: "a good one" };
  const rule = definePolicy({
    id: "no-bad-thing",
    description: "D.",
    ...about,
    portable: true,
    judgeResource: () => ({ findings: [finding], notJudged: [{ where: "envs", because: "unknown" }] }),
  });
  const stackRule = definePolicy({
    id: "no-odd-stack",
    description: "D.",
    ...about,
    portable: true,
    judgeStack: () => ({ findings: [finding, { ...finding, urn: WEB }], notJudged: [] }),
  });
  const web: TestResource = { type: "docker:index/container:Container", name: "web", props: {} };
  const stack: TestResource = { type: "pulumi:pulumi:Stack", name: "tailwart-test", props: {} };

  let dir: string;
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "tailwart-exceptions-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function served(file: string | undefined, properties: Record<string, unknown> = {}) {
    if (file !== undefined) writeFileSync(join(dir, "policy-exceptions.jsonc"), file);
    const run = new PackRun([rule, stackRule], dir);
    run.configure(new Map([["policy-exceptions", { enforcementLevel: "mandatory", properties }]]), TODAY);
    return [toSdkPolicy(rule, run), toSdkPolicy(stackRule, run), exceptionsPolicy(run)];
  }
  const mandatory = { policy: "no-bad-thing", level: "mandatory", severity: "high" };

  test("without a file says nothing of exceptions", async () => {
    const policies = served(undefined);
    expect(await askServed(policies, { ...stack, type: "other:index:Thing" })).toMatchObject([
      mandatory,
      { level: "advisory" },
    ]);
    expect((await askServed([policies[2]!], stack)).concat(await askServed([policies[2]!], [stack]))).toEqual(
      [],
    );
  });

  test("makes an excepted finding advisory, marked with its end and reason, and leaves what was not judged", async () => {
    const [excepted, gap, ...rest] = await askServed(served(fileOf(entry)), web);
    expect(excepted).toEqual({
      policy: "no-bad-thing",
      level: "advisory",
      severity: "high",
      message:
        "Excepted until 2026-12-31: the vendor mends it\nimage is bad.\n  why: w (u)\n  instead: a good one",
      urn: "",
    });
    expect(gap?.message).toBe("Not judged:\n  envs: unknown");
    expect(rest).toEqual([]);
    const [other] = await askServed(served(fileOf(entry)), { ...web, name: "db" });
    expect(other).toMatchObject({ ...mandatory, message: expect.stringMatching(/^image is bad/) as string });
  });

  test("excepts findings over the stack by the resource they name, or by the stack's own URN", async () => {
    const odd = { ...entry, policy: "no-odd-stack" };
    const levels = async (file: string, resources: TestResource[]) =>
      (await askServed(served(file).slice(1, 2), resources)).map(({ level }) => level);
    expect(await levels(fileOf(odd), [stack, web])).toEqual(["mandatory", "advisory"]);
    const ofStack = fileOf({ ...odd, urn: urnOf(stack) });
    expect(await levels(ofStack, [web, stack])).toEqual(["advisory", "mandatory"]);
    expect(await levels(ofStack, [web])).toEqual(["advisory", "mandatory"]);
  });

  test("refuses an expired one at the stack's own resource, and judges again what it let pass", async () => {
    const policies = served(fileOf({ ...entry, expires: "2026-11-22" }));
    const [found] = await askServed(policies, web);
    expect(found).toMatchObject(mandatory);
    const told = await askServed([policies[2]!], stack);
    expect(told).toMatchObject([{ policy: "policy-exceptions", level: "mandatory", severity: "high" }]);
    expect(told[0]?.message).toMatch(
      /^policy-exceptions\.jsonc exceptions\[0\]: no-bad-thing on urn:\S+web expired on 2026-11-22\.\n {2}why: .*the vendor mends it\n {2}instead: /,
    );
    expect(await askServed([policies[2]!], web)).toEqual([]);
    expect(await askServed([policies[2]!], [stack, web])).toEqual([]);
  });

  test("tells them at the end where the stack has no resource of its own", async () => {
    const [, , exceptions] = served(
      fileOf({ ...entry, expires: "2026-11-22" }, { ...entry, urn: "*:Container::db" }),
    );
    const told = await askServed([exceptions!], [web]);
    expect(told.map(({ level }) => level)).toEqual(["mandatory", "advisory", "advisory"]);
  });

  test("prints all that are in force, and at the end those that matched nothing", async () => {
    const policies = served(fileOf(entry, { ...entry, urn: "*:Container::db" }));
    const [inForce, ...none] = await askServed([policies[2]!], stack);
    expect(none).toEqual([]);
    expect(inForce).toMatchObject({ policy: "policy-exceptions", level: "advisory", severity: "low" });
    expect(inForce?.message).toBe(
      [
        "2 exceptions are in force (policy-exceptions.jsonc):",
        `  exceptions[0]: no-bad-thing on ${WEB} until 2026-12-31: the vendor mends it`,
        "  exceptions[1]: no-bad-thing on *:Container::db until 2026-12-31: the vendor mends it",
      ].join("\n"),
    );
    await askServed(policies, web);
    const [idle] = await askServed([policies[2]!], [stack, web]);
    expect(idle).toMatchObject({ level: "advisory", severity: "low" });
    expect(idle?.message).toMatch(
      /^Exceptions that matched no finding in this run \(policy-exceptions\.jsonc\); .*:\n {2}exceptions\[1\]: no-bad-thing on \*:Container::db$/,
    );
  });

  test("names the place of an exception that has one", async () => {
    const [inForce] = await askServed([served(fileOf({ ...entry, where: "envs" }))[2]!], stack);
    expect(inForce?.message).toContain(`exceptions[0]: no-bad-thing on ${WEB} at envs until`);
  });

  test("counts what a stack policy has excepted as used, since it asks the exceptions last", async () => {
    const policies = served(fileOf({ ...entry, policy: "no-odd-stack" }));
    await askServed([policies[2]!], stack);
    const told = await askServed(policies, [stack, web]);
    expect(told.filter(({ policy }) => policy === "policy-exceptions")).toEqual([]);
    expect(told.some(({ message }) => message.startsWith("Excepted until"))).toBe(true);
  });

  test("takes another file that the policy config names, and refuses one that is not there", async () => {
    mkdirSync(join(dir, "program"));
    writeFileSync(join(dir, "shared.jsonc"), fileOf(entry));
    const run = new PackRun([rule], join(dir, "program"));
    const configure = (file: unknown) =>
      run.configure(
        new Map([["policy-exceptions", { enforcementLevel: "mandatory", properties: { file } }]]),
        TODAY,
      );
    configure("../shared.jsonc");
    expect(await askServed([toSdkPolicy(rule, run)], web)).toMatchObject([{ level: "advisory" }, {}]);
    configure(join(dir, "shared.jsonc"));
    expect(run.exceptions.file).toBe("../shared.jsonc");
    expect(() => configure("other.jsonc")).toThrow("other.jsonc: is not there, and policy-exceptions.file");
    expect(() => configure(1)).toThrow("policy-exceptions.file accepts a path");
    expect(() => configure("")).toThrow("policy-exceptions.file accepts a path");
    expect(() =>
      run.configure(
        new Map([["policy-exceptions", { enforcementLevel: "mandatory", properties: { path: "a" } }]]),
      ),
    ).toThrow("policy-exceptions.path is no key of this policy; write one of file, enforcementLevel");
  });

  test("reads the day from the clock when it is not told", () => {
    writeFileSync(
      join(dir, "policy-exceptions.jsonc"),
      fileOf({ ...entry, expires: "2001-01-01" }, { ...entry, urn: "*Container::b", expires: "9999-12-31" }),
    );
    const run = new PackRun([rule], dir);
    run.configure(new Map());
    expect([run.exceptions.expired.length, run.exceptions.inForce.length]).toEqual([1, 1]);
  });
});
