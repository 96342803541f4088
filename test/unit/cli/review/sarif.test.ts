import { describe, expect, test } from "vitest";

import type { Report } from "../../../../cli/review/model.ts";
import { type Sources, toSarif } from "../../../../cli/review/sarif.ts";
import { allPolicies } from "../../../../policies/rules/index.ts";
import { EMPTY, recorded } from "./fixtures.ts";
import { type Run, runOf, runsOf, wrongIn } from "./sarif-spec.ts";

const CONFIG =
  "encryptionsalt: v1\nconfig:\n  # where mail goes\n  tailwart:services: [smtp]\n  tailwart:mailHost: 7\n";
const SOURCES: Sources = {
  program: "index.ts",
  config: { path: "Pulumi.review.yaml", text: CONFIG },
  version: "0.1.0",
};
const sarif = (report: Report, sources = SOURCES): Run => runOf(toSarif([{ report, sources }], allPolicies));
const DRIFTED: Report = {
  ...EMPTY,
  kind: "audit",
  drift: [{ op: "update", urn: "urn:pulumi:s::p::t:t:T::n", type: "t:t:T", properties: [] }],
};

describe("the SARIF log", () => {
  test.each([
    ["a refused preview", recorded("violations")],
    ["a refused config", recorded("refused")],
    ["replacements", recorded("replaced")],
    ["drift", DRIFTED],
    ["nothing", EMPTY],
  ])("of %s is what SARIF 2.1.0 and GitHub require", (_, report) => {
    expect(wrongIn(toSarif([{ report, sources: SOURCES }], allPolicies))).toEqual([]);
  });

  test("has a rule for each policy of the pack, with description, help, level and rank", () => {
    const { rules } = sarif(EMPTY).tool.driver;
    expect(rules.map(({ id }) => id)).toEqual(allPolicies.map(({ id }) => id));
    const rule = rules.find(({ id }) => id === "no-hardcoded-tailnet-ip");
    expect(rule).toMatchObject({
      shortDescription: { text: expect.stringContaining("MagicDNS") },
      helpUri: "https://tailscale.com/kb/1081/magicdns",
      defaultConfiguration: { level: "error" },
      properties: { tags: ["security", "lesson-6"], "security-severity": "8.0" },
    });
  });

  test("has a result with message, resource and place for each violation, the exception as suppressed", () => {
    const { results } = sarif(recorded("violations"));
    const [error] = results.filter(({ level }) => level === "error");
    expect(error).toMatchObject({
      ruleId: "no-hardcoded-tailnet-ip",
      message: {
        text: expect.stringMatching(/^envs \(URL\) holds .*\nWhy: .*\nFix: the node's MagicDNS name/),
      },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: "index.ts" }, region: { startLine: 1 } },
          logicalLocations: [{ name: "app", fullyQualifiedName: expect.stringMatching(/^urn:pulumi:raw/) }],
        },
      ],
    });
    expect(results.flatMap(({ suppressions = [] }) => suppressions)).toEqual([
      { kind: "external", justification: "moved to MagicDNS with the next release, until 2027-01-31" },
    ]);
    expect(results.filter(({ level }) => level === "note").map(({ message }) => message.text)).toContain(
      "Not judged: envs[0]: unknown until the update",
    );
  });

  test("shows a refused key where it is written", () => {
    const { results, invocations } = sarif(recorded("refused"));
    expect(results[0]?.locations[0]?.physicalLocation).toMatchObject({
      artifactLocation: { uri: "Pulumi.review.yaml" },
      region: { startLine: 5 },
    });
    expect(invocations[0]?.executionSuccessful).toBe(false);
  });

  test("gives a policy of another pack a rule, too", () => {
    const [violation] = recorded("violations").violations;
    const strange = { ...(violation as NonNullable<typeof violation>), policy: "s3-private" };
    const { tool, results } = sarif({ ...EMPTY, violations: [strange] });
    expect(tool.driver.rules[results[0]?.ruleIndex ?? -1]?.id).toBe("s3-private");
  });
});

describe("fingerprints", () => {
  const prints = (report: Report) =>
    sarif(report).results.map(({ partialFingerprints }) => partialFingerprints["tailwart/v1"]);

  test("are the same in the next run, in another stack and after a change of words", () => {
    const report = recorded("violations");
    const [first] = report.violations;
    const other = {
      ...(first as NonNullable<typeof first>),
      urn: first?.urn.replace("urn:pulumi:raw::raw", "urn:pulumi:prod::raw") ?? "",
      what: "has another wording now",
      level: "advisory",
    };
    expect(prints({ ...EMPTY, stack: "other", violations: [other] })).toEqual(
      prints({ ...EMPTY, violations: report.violations }),
    );
    expect(prints(recorded("violations"))).toEqual(prints(report));
  });

  test("tell any two findings apart", () => {
    const [first] = recorded("violations").violations;
    const one = first as NonNullable<typeof first>;
    const all = [one, { ...one, policy: "q" }, { ...one, where: "envs (B)" }, { ...one, urn: `${one.urn}2` }];
    expect(new Set(prints({ ...EMPTY, violations: all })).size).toBe(4);
    const { results } = sarif(recorded("replaced"));
    expect(new Set(results.map(({ partialFingerprints }) => partialFingerprints["tailwart/v1"])).size).toBe(
      results.length,
    );
  });
});

describe("the check of the log itself", () => {
  test.each<[string, (log: Record<string, unknown>, run: Run) => void]>([
    ["another version", (log) => (log["version"] = "2.0.0")],
    ["a result without a message", (_, run) => (run.results[0]!.message = {} as never)],
    ["a level that is none", (_, run) => (run.results[0]!.level = "fatal")],
    ["a rule index that leads elsewhere", (_, run) => (run.results[0]!.ruleIndex = 0)],
    ["no place in a file", (_, run) => (run.results[0]!.locations = [])],
    [
      "a path of the machine",
      (_, run) => (run.results[0]!.locations[0]!.physicalLocation.artifactLocation.uri = "/home/x/index.ts"),
    ],
    ["line 0", (_, run) => (run.results[0]!.locations[0]!.physicalLocation.region.startLine = 0)],
    ["two rules of one id", (_, run) => run.tool.driver.rules.push(run.tool.driver.rules[0]!)],
    ["no fingerprint", (_, run) => (run.results[0]!.partialFingerprints = {})],
  ])("finds %s", (_, spoil) => {
    const log = toSarif([{ report: recorded("violations"), sources: SOURCES }], allPolicies) as Record<
      string,
      unknown
    >;
    spoil(log, runOf(log));
    expect(wrongIn(log)).not.toEqual([]);
  });
});

test("several stacks are runs of one log, told apart by their names", () => {
  const reports = ["prod", "review"].map((stack) => ({
    report: recorded("violations", { stack }),
    sources: SOURCES,
  }));
  const log = toSarif(reports, allPolicies);
  expect(wrongIn(log)).toEqual([]);
  expect(runsOf(log).map(({ automationDetails }) => automationDetails.id)).toEqual([
    "tailwart/review/prod/",
    "tailwart/review/review/",
  ]);
});
