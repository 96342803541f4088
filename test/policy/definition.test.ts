import { describe, expect, test } from "vitest";

import {
  definePolicy,
  describeFinding,
  describeNotJudged,
  type PolicyDefinition,
} from "../../policies/framework/policy.ts";
import { PackRun, type PolicyConfig } from "../../policies/framework/pack-state.ts";
import { toSdkPolicy } from "../../policies/framework/sdk-policy.ts";
import { refuseUnknownKeys, wrongSetting } from "../../policies/framework/policy-settings.ts";
import { askServed, runPolicy, secret, type TestResource } from "./harness.ts";

const about = {
  description: "A policy for this test.",
  severity: "high",
  lesson: 6,
  enforcementLevel: "mandatory",
  remediation: "Mend it.",
  url: "https://example.org",
  why: "it breaks",
  portable: true,
} as const;
const judge: NonNullable<PolicyDefinition["judgeResource"]> = () => ({
  findings: [{ where: "image", what: "is bad", instead: "a good one" }],
  notJudged: [],
});
const plain = definePolicy({ id: "plain-policy", ...about, judgeResource: judge });
const web: TestResource = { type: "docker:index/container:Container", name: "web", props: {} };
const told = (properties: Record<string, unknown>, enforcementLevel: PolicyConfig["enforcementLevel"]) => ({
  enforcementLevel,
  properties,
});

describe("a finding's text", () => {
  const finding = { where: "envs (A)", what: "is bad", instead: "a good one" };

  test("says where, what, why with its sources, and what to write instead", () =>
    expect(describeFinding(plain, finding)).toBe(
      "envs (A) is bad.\n  why: it breaks (lesson 6, https://example.org)\n  instead: a good one",
    ));

  test("names no lesson where the policy comes from none", () =>
    expect(describeFinding({ why: "it breaks", url: "https://example.org" }, finding)).toContain(
      "why: it breaks (https://example.org)",
    ));

  test("of what was not judged lists each place with its reason", () =>
    expect(
      describeNotJudged([
        { where: "a", because: "b" },
        { where: "c", because: "d" },
      ]),
    ).toBe("Not judged:\n  a: b\n  c: d"));
});

describe("the SDK's policy", () => {
  test("carries the definition's metadata, and a schema for the settings that every policy has", () => {
    const sdk = toSdkPolicy(plain);
    expect(sdk).toMatchObject({
      name: "plain-policy",
      description: about.description,
      enforcementLevel: "mandatory",
      severity: "high",
      tags: ["lesson-6"],
      remediationSteps: about.remediation,
      url: about.url,
    });
    expect(sdk.configSchema?.properties).toEqual({
      severity: expect.objectContaining({ enum: ["low", "medium", "high", "critical"] }) as object,
    });
    const { lesson: _, ...unlearnt } = plain;
    expect(toSdkPolicy(unlearnt)).not.toHaveProperty("tags");
  });

  test("keeps the schema of its own settings beside theirs", () => {
    const schema = { properties: { limit: { type: "number" as const } }, required: ["limit"] };
    const settings = { schema, parse: () => 1 };
    const sdk = toSdkPolicy(definePolicy<number>({ id: "with-settings", ...about, settings }));
    expect(Object.keys(sdk.configSchema?.properties ?? {})).toEqual(["severity", "limit"]);
    expect(sdk.configSchema?.required).toEqual(["limit"]);
  });
});

describe("a run of the pack", () => {
  const settings = {
    schema: { properties: { limit: { type: "number" as const } } },
    parse: (raw: Record<string, unknown>) => {
      refuseUnknownKeys("with-settings", raw, ["limit"]);
      if (raw["limit"] === "much") throw wrongSetting("with-settings.limit", "a number", "3");
      parses++;
      return { limit: raw["limit"] };
    },
  };
  let parses = 0;
  const seen: unknown[] = [];
  const withSettings = definePolicy<{ limit: unknown }>({
    id: "with-settings",
    ...about,
    settings,
    judgeResource: (_, given) => {
      seen.push(given);
      return { findings: [], notJudged: [] };
    },
  });
  const runOf = (config: Record<string, PolicyConfig> = {}) => {
    const run = new PackRun([plain, withSettings], "/");
    run.configure(new Map(Object.entries(config)));
    return run;
  };

  test("reads a policy's settings once, however many resources there are", async () => {
    const run = runOf({ "with-settings": told({ limit: 3 }, "mandatory") });
    const served = [toSdkPolicy(withSettings, run)];
    parses = 0;
    seen.length = 0;
    for (let i = 0; i < 3; i++) await askServed(served, web);
    expect(seen).toEqual([{ limit: 3 }, { limit: 3 }, { limit: 3 }]);
    expect(new Set(seen).size).toBe(1);
    expect(parses).toBe(0);
  });

  test("reads settings without a config as empty ones, once too", async () => {
    const served = [toSdkPolicy(withSettings, new PackRun([withSettings], "/"))];
    parses = 0;
    for (let i = 0; i < 3; i++) await askServed(served, web);
    expect(parses).toBe(1);
  });

  test("reports with the severity and at the level of the config, else with the policy's own", async () => {
    const levels = async (config?: Record<string, PolicyConfig>) =>
      (await askServed([toSdkPolicy(plain, runOf(config))], web)).map(({ level, severity }) => [
        level,
        severity,
      ]);
    expect(await levels()).toEqual([["mandatory", "high"]]);
    expect(await levels({ "plain-policy": told({ severity: "low" }, "mandatory") })).toEqual([
      ["mandatory", "low"],
    ]);
    expect(await levels({ "plain-policy": told({}, "advisory") })).toEqual([["advisory", "high"]]);
  });

  test("reports at the level of the config, and at the policy's own where that is to mend something, which none does", async () => {
    const curious = definePolicy({
      id: "curious-policy",
      ...about,
      enforcementLevel: "advisory",
      seesSecrets: true,
      judgeResource: judge,
    });
    const props = { labels: secret("opensesame") };
    const levelOf = async (level: "advisory" | "mandatory", config: PolicyConfig["enforcementLevel"]) => {
      const policy = { ...curious, enforcementLevel: level };
      const run = new PackRun([policy], "/");
      run.configure(new Map([[policy.id, told({}, config)]]));
      return (await askServed([toSdkPolicy(policy, run)], { ...web, props }))[0]?.level;
    };
    expect(await levelOf("advisory", "remediate")).toBe("advisory");
    expect(await levelOf("mandatory", "remediate")).toBe("mandatory");
    expect(await levelOf("mandatory", "advisory")).toBe("advisory");
    expect(await levelOf("advisory", "mandatory")).toBe("mandatory");
  });

  test.each<[Record<string, PolicyConfig>, string]>([
    [
      { "plain-polcy": told({}, "advisory") },
      "plain-polcy is no policy of this pack; write one of plain-policy, with-settings, policy-exceptions, all",
    ],
    [
      { "plain-policy": told({ limit: 3 }, "mandatory") },
      "plain-policy.limit is no key of this policy; write one of enforcementLevel, severity",
    ],
    [
      { "with-settings": told({ limits: 3 }, "mandatory") },
      "with-settings.limits is no key of this policy; write one of limit, enforcementLevel, severity",
    ],
    [{ "with-settings": told({ limit: "much" }, "mandatory") }, "with-settings.limit accepts a number"],
    [
      { "plain-policy": told({ severity: "huge" }, "mandatory") },
      "plain-policy.severity accepts one of low, medium, high, critical",
    ],
    [{ all: told({ severity: "low" }, "mandatory") }, "all.severity is no key of this policy"],
  ])("refuses a wrong config with the key's path: %j", (config, message) => {
    expect(() => runOf(config)).toThrow(`Policy config: ${message}`);
    expect(() => runOf(config)).toThrow(
      expect.objectContaining({ stack: expect.not.stringContaining("    at ") as string }) as Error,
    );
  });

  test("accepts a level for all policies", () =>
    expect(() => runOf({ all: told({}, "advisory") })).not.toThrow());
});

test("the harness hands a policy its config, the common settings among it", async () => {
  const config = { severity: "low" };
  expect((await runPolicy(plain, web, { config })).violations).toHaveLength(1);
  await expect(runPolicy(plain, web, { config: { severity: "none" } })).rejects.toThrow(
    "plain-policy.severity",
  );
});
