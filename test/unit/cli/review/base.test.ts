import { describe, expect, test } from "vitest";

import { comparedWith, withoutFile } from "../../../../cli/review/base/compare.ts";
import { differenceOf, type Replacing } from "../../../../cli/review/base/difference.ts";
import { propertiesThatDiffer } from "../../../../cli/review/base/properties.ts";
import { inputsIn } from "../../../../cli/review/base/schemas.ts";
import { type PlannedResource, type Snapshot, snapshotOf } from "../../../../cli/review/base/snapshot.ts";
import type { Change } from "../../../../cli/review/changes.ts";
import { toMarkdown } from "../../../../cli/review/markdown.ts";
import type { Report, Violation } from "../../../../cli/review/model.ts";
import { describeReports } from "../../../../cli/review/write-report.ts";
import { toSarif } from "../../../../cli/review/sarif.ts";
import { allPolicies } from "../../../../policies/rules/index.ts";
import { EMPTY, eventsOf } from "./fixtures.ts";
import { runOf, wrongIn } from "./sarif-spec.ts";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};
const CONTAINER = "docker:index/container:Container";
const REPLACING: Replacing = new Map([[CONTAINER, new Set(["image", "networkMode"])]]);
const urn = (name: string, type = CONTAINER) => `urn:pulumi:prod::shop::${type}::${name}`;

function resource(name: string, inputs: object, madeOf: Record<string, string[]> = {}): PlannedResource {
  return { urn: urn(name), type: CONTAINER, inputs: inputs as PlannedResource["inputs"], madeOf };
}
const snapshot = (...resources: PlannedResource[]): Snapshot =>
  new Map(resources.map((each) => [each.urn, each]));
const told = (changes: readonly Change[]) => changes.map(({ op, urn: at }) => [op, at.split("::").at(-1)]);

describe("the resources of a preview from nothing", () => {
  const resources = snapshotOf(eventsOf("first"), "", "/work/tree");

  test("are all that the program makes, without the stack and the engine's own providers", () => {
    const names = [...resources.keys()].map((each) => each.split("::").at(-1));
    expect(names).toContain("mail-stalwart-server");
    expect(names.some((name) => name?.startsWith("default_"))).toBe(false);
    expect([...resources.values()].map(({ type }) => type)).not.toContain("pulumi:pulumi:Stack");
  });

  test("name the plugin whose schema tells what replaces them", () => {
    const made = { inputs: {}, provider: `${urn("kvm", "pulumi:providers:docker")}::${UNKNOWN}` };
    const provider = urn("kvm", "pulumi:providers:docker");
    const step = (at: string, type: string, state: object) => ({
      resourcePreEvent: { metadata: { op: "create", urn: at, type, new: state } },
    });
    const events = [
      step(provider, "pulumi:providers:docker", { inputs: { version: "5.2.0" } }),
      step(urn("app"), CONTAINER, made),
    ];
    expect(snapshotOf(events, "", "/x").get(urn("app"))?.plugin).toBe("docker@5.2.0");
  });

  test("hold no folder of the machine: each side lies in another", () => {
    const step = (folder: string) => [
      {
        resourcePreEvent: {
          metadata: {
            op: "create",
            urn: urn("app"),
            type: CONTAINER,
            new: { inputs: { path: `${folder}/a` } },
          },
        },
      },
    ];
    const [one, other] = ["/tmp/one", "/home/me/x y"].map((each) => snapshotOf(step(each), "", each));
    expect(one).toEqual(other);
  });
});

describe("properties that differ", () => {
  test.each<[string, object, object, object[]]>([
    ["a plain one", { a: "1" }, { a: "2" }, [{ path: "a", old: "1", new: "2" }]],
    ["one that is new", {}, { a: "1" }, [{ path: "a", new: "1" }]],
    ["one that goes", { a: "1" }, {}, [{ path: "a", old: "1" }]],
    ["one in a map", { m: { a: 1, b: 2 } }, { m: { a: 1, b: 3 } }, [{ path: "m.b", old: "2", new: "3" }]],
    [
      "one whose name is no word",
      { m: { "a/b": 1 } },
      { m: { "a/b": 2 } },
      [{ path: 'm["a/b"]', old: "1", new: "2" }],
    ],
    [
      "one in a list",
      { l: [{ v: 1 }, { v: 2 }] },
      { l: [{ v: 1 }, { v: 3 }] },
      [{ path: "l[1].v", old: "2", new: "3" }],
    ],
    ["a list that is longer", { l: [1] }, { l: [1, 2] }, [{ path: "l", old: "[1]", new: "[1,2]" }]],
    ["none where keys stand in another order", { m: { a: 1, b: 2 } }, { m: { b: 2, a: 1 } }, []],
    [
      "none in what the engine keeps",
      { a: { __defaults: ["x"] } },
      { a: { __defaults: [] }, __internal: {} },
      [],
    ],
  ])("are %s", (_, before, after, expected) => {
    expect(propertiesThatDiffer({ ...before }, { ...after })).toEqual(expected);
  });

  test.each([
    ["marked", { content: SECRET }, { content: "opensesame" }],
    ["named so", { settings: { dbPassword: "opensesame" } }, { settings: { dbPassword: "opensesame2" } }],
    ["in a list of variables", { envs: ["A_TOKEN=opensesame"] }, { envs: ["A_TOKEN=opensesame2", "B=1"] }],
  ])("show no secret that is %s", (_, before, after) => {
    const shown = JSON.stringify(propertiesThatDiffer({ ...before }, { ...after }));
    expect(shown).toContain("[secret]");
    expect(shown).not.toContain("opensesame");
  });
});

describe("what becomes of the base", () => {
  test("is told resource by resource: made, changed, replaced, taken away", () => {
    const base = snapshot(
      resource("same", { image: "a" }),
      resource("changed", { restart: "no" }),
      resource("replaced", { image: "a" }),
      resource("gone", {}),
    );
    const head = snapshot(
      resource("same", { image: "a" }),
      resource("changed", { restart: "always" }),
      resource("replaced", { image: "b" }),
      resource("made", {}),
    );
    expect(told(differenceOf(base, head, REPLACING))).toEqual([
      ["update", "changed"],
      ["replace", "replaced"],
      ["create", "made"],
      ["delete", "gone"],
    ]);
  });

  test("follows a replacement through what is made of its unknown values", () => {
    const stack = (image: string) =>
      snapshot(
        resource("anchor", { image }),
        resource("server", { networkMode: UNKNOWN }, { networkMode: [urn("anchor")] }),
        resource("probe", { envs: [UNKNOWN] }, { envs: [urn("server")] }),
        resource("name", { hostname: "known" }, { hostname: [urn("anchor")] }),
      );
    const changes = differenceOf(stack("a"), stack("b"), REPLACING);
    expect(told(changes)).toEqual([
      ["replace", "anchor"],
      ["replace", "server"],
      ["update", "probe"],
    ]);
    expect(changes[1]?.properties).toEqual([{ path: "networkMode", follows: urn("anchor"), replaces: true }]);
  });

  test("is an update where no schema says that it is replaced", () => {
    const change = (image: string) => snapshot(resource("app", { image }));
    expect(told(differenceOf(change("a"), change("b"), new Map()))).toEqual([["update", "app"]]);
  });

  test("reads both words that schemas have for what replaces", () => {
    const inputProperties = { a: { willReplaceOnChanges: true }, b: { replaceOnChanges: true }, c: {} };
    const schema = JSON.stringify({ resources: { t: { inputProperties }, none: {} } });
    expect(inputsIn(schema)).toEqual([
      ["t", new Set(["a", "b"])],
      ["none", new Set()],
    ]);
  });
});

describe("a report against a base", () => {
  const violation = (name: string, what = "holds 100.64.0.1"): Violation => ({
    policy: "no-hardcoded-tailnet-ip",
    urn: urn(name),
    level: "mandatory",
    where: "envs (DB)",
    what,
  });
  const failed = (more: Partial<Report>): Report => ({ ...EMPTY, result: "failed", ...more });
  const broken = failed({ problems: [{ severity: "error", message: "no such host\n  at x\n  at y" }] });
  const edge: Change = {
    op: "replace",
    urn: urn("edge"),
    type: CONTAINER,
    properties: [],
    part: { role: "edge", op: "replace", name: "edge" },
  };
  const against = (head: Report, base: Report | undefined, changes: readonly Change[] = []) =>
    comparedWith(head, { ref: "main", commit: "0123456789", base, changes, unchanged: 7 });

  test("has the changes, their downtime, and the number of what stays", () => {
    const report = against({ ...EMPTY, counts: { create: 9 } }, EMPTY, [edge]);
    expect(report.counts).toEqual({ replace: 1, same: 7 });
    expect(report.downtime).toMatchObject([{ name: "edge", basis: "measured" }]);
    expect(toMarkdown([report])).toMatch(/^## ✅ Review of the stack `prod` against `main` \(0123456\)/);
  });

  test("says which findings are new and which are mended", () => {
    const head = failed({ violations: [violation("old"), violation("fresh")] });
    const report = against(head, failed({ violations: [violation("old"), violation("edge")] }), [edge]);
    expect(report.violations.map(({ isNew }) => isNew)).toEqual([false, true]);
    expect(report.base?.mended).toEqual([{ ...violation("edge"), sameResource: false }]);
    const text = toMarkdown([report]);
    expect(text).toContain("**2 violations to mend, 1 new · 1 mended · 1 to replace");
    expect(text).toContain("- new: **fresh**");
    expect(text).toMatch(/### Mended \(1\)\n\n- `no-hardcoded-tailnet-ip` at \*\*edge\*\*/);
  });

  test("asks whether a policy has become weaker where a finding goes and its resource stays", () => {
    const report = against(EMPTY, failed({ violations: [violation("old")] }));
    expect(toMarkdown([report])).toContain("the resource is the same: has the policy become weaker?");
  });

  test("does not take a head that came to no end for one that takes everything away", () => {
    const report = against(broken, EMPTY, [{ ...edge, op: "delete" }]);
    expect(report).toMatchObject({
      changes: [],
      downtime: [],
      base: { unknown: "the preview came to no end" },
    });
    expect(toMarkdown([report])).not.toContain("to delete");
  });

  test("says of a base that cannot be previewed that nobody knows what changes and what is new", () => {
    const report = against(failed({ violations: [violation("a")] }), broken, [edge]);
    expect(report.base?.unknown).toBe("main itself cannot be previewed: no such host at x");
    expect(report.violations[0]).not.toHaveProperty("isNew");
  });

  test("of a stack that the base has not, takes every finding for new", () => {
    const report = against(failed({ violations: [violation("a")] }), undefined, []);
    expect(report.violations[0]?.isNew).toBe(true);
  });

  test("warns where a stack's file is taken away, and with it what judges it", () => {
    const text = toMarkdown([withoutFile("prod", "Pulumi.prod.yaml", { ref: "main", commit: "0123456789" })]);
    expect(text).toMatch(/\*\*warning\*\*[^]*Pulumi\.prod\.yaml is taken away/);
  });
});

describe("what differs in the report", () => {
  const properties = [{ path: "stdin", lines: "@@ -1,1 +1,1 @@\n-a\n+b", replaces: false }];
  const change = (name: string): Change => ({ op: "update", urn: urn(name), type: CONTAINER, properties });

  test("is shown once where several resources have the same lines", () => {
    const text = toMarkdown([{ ...EMPTY, changes: [change("one"), change("other")] }]);
    expect(text.match(/```diff/g)).toHaveLength(1);
    expect(text).toContain("`stdin`: the same lines as **one** `stdin`");
  });
});

describe("a report against a base, elsewhere", () => {
  const violations: Violation[] = ["old", "fresh"].map((name) => ({
    policy: "no-hardcoded-tailnet-ip",
    urn: urn(name),
    level: "mandatory",
    where: "envs (DB)",
    what: "holds 100.64.0.1",
    isNew: name === "fresh",
  }));
  const gone = { ...(violations[0] as Violation), urn: urn("gone"), sameResource: false };
  const changes: Change[] = [
    {
      op: "replace",
      urn: urn("server"),
      type: CONTAINER,
      properties: [
        { path: "image", old: "a", new: "b", replaces: true },
        { path: "networkMode", follows: urn("anchor"), replaces: true },
        { path: "stdin", lines: "@@ -1,1 +1,1 @@\n-a\n+b", replaces: false },
      ],
    },
  ];
  const report: Report = {
    ...EMPTY,
    violations,
    changes,
    counts: { replace: 1, same: 2 },
    base: { ref: "main", commit: "0123456789", mended: [gone] },
  };

  test("is text in a terminal: findings, changes with their values, what is mended", () => {
    const shown = describeReports([report], { markdown: "m", sarif: "s" });
    expect(shown).toContain("✗ no-hardcoded-tailnet-ip (fresh, new)");
    expect(shown).toContain("✗ no-hardcoded-tailnet-ip (old)\n");
    expect(shown).toContain(`± replace server
    image (replaces): a → b
    networkMode (replaces): another, since anchor is replaced
    stdin:
      @@ -1,1 +1,1 @@
      -a
      +b`);
    expect(shown).toContain("mended: no-hardcoded-tailnet-ip, gone envs (DB)");
    expect(shown).toContain("2 violations to mend, 1 new · 1 mended · 1 to replace");
  });

  test("says in SARIF which results are new", () => {
    const log = toSarif([{ report, sources: { program: "index.ts", version: "0.1.0" } }], allPolicies);
    expect(wrongIn(log)).toEqual([]);
    const states = runOf(log).results.map((each) => (each as { baselineState?: string }).baselineState);
    expect(states).toEqual(["unchanged", "new"]);
  });

  test("counts settings of either line of Stalwart as what they cost", () => {
    const settings = ["tailwart:mail:Settings", "tailwart:mail:Registry"].map((type): Snapshot[] =>
      ["a", "b"].map((host) => snapshot({ ...resource("mail", { host }), type })),
    );
    for (const [base = new Map(), head = new Map()] of settings)
      expect(differenceOf(base, head, REPLACING)[0]?.part).toEqual({
        role: "settings",
        op: "update",
        name: "mail",
      });
  });
});
