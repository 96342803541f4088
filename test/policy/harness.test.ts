import { Container } from "@pulumi/docker/container.js";
import { describe, expect, test } from "vitest";
import { allPolicies, withUniqueIds } from "../../policies/rules/index.ts";
import { definePolicy } from "../../policies/framework/policy.ts";
import { runPolicy, runStackPolicy, secret, UNKNOWN, urnOf, type TestResource } from "./harness.ts";

const about = {
  id: "for-the-harness",
  description: "A policy for the harness's own tests.",
  severity: "low",
  lesson: 1,
  enforcementLevel: "mandatory",
  remediation: "None.",
  url: "https://example.org",
  why: "it is a test",
  portable: true,
} as const;

const container: TestResource = {
  type: "docker:index/container:Container",
  props: { image: UNKNOWN, envs: ["A=b"], labels: secret("opensesame") },
};

describe("the harness", () => {
  test("shows that a rule which reads an unknown value without a guard goes blind", async () => {
    const naive = definePolicy({
      ...about,
      judgeResource: ({ props }) => ({
        findings: [{ where: "image", what: String(props["image"]), instead: "x" }],
        notJudged: [],
      }),
    });
    const outcome = await runPolicy(naive, container);
    expect(outcome.violations).toEqual([]);
    expect(outcome.blind).toMatch(/string value at \.image can't be known during preview/);
  });

  test("hands secrets over as plain text, and fails when a message repeats one", async () => {
    const leaky = definePolicy({
      ...about,
      judgeResource: ({ props }) => ({
        findings: [{ where: "labels", what: `is ${props["labels"]}`, instead: "x" }],
        notJudged: [],
      }),
    });
    await expect(runPolicy(leaky, container)).rejects.toThrow(
      "for-the-harness repeats a secret of 10 characters",
    );
  });

  test("tells a policy that wants to know where the secrets are, unknown values beside them or not", async () => {
    const seen: unknown[] = [];
    const curious = definePolicy({
      ...about,
      seesSecrets: true,
      judgeResource: ({ secretPaths }) => {
        seen.push(secretPaths);
        return { findings: [{ where: "labels", what: "is bad", instead: "x" }], notJudged: [] };
      },
    });
    const props = { ...container.props, uploads: [{ file: "/a", content: secret("opensesame") }] };
    const { violations, blind } = await runPolicy(curious, { ...container, props });
    expect(seen).toEqual([[["labels"], ["uploads", 0, "content"]]]);
    expect(violations).toHaveLength(1);
    expect(blind).toBeUndefined();
  });

  test("skips resources of other types than the policy reads", async () => {
    const judge = () => ({ findings: [{ where: "x", what: "is bad", instead: "y" }], notJudged: [] });
    const containers = [container.type];
    const both = [...containers, "docker:index/network:Network"];
    for (const resourceTypes of [containers, both]) {
      const policy = definePolicy({ ...about, resourceTypes, judgeResource: judge });
      expect((await runPolicy(policy, container)).violations).toHaveLength(1);
      const other = await runPolicy(policy, { ...container, type: "command:local:Command" });
      expect(other.notApplicable).toMatch(/docker:index\/container:Container/);
    }
  });

  test("hands a stack policy the resources that a value comes from, and what is protected", async () => {
    const seen: unknown[] = [];
    const policy = definePolicy({
      ...about,
      judgeStack: (resources) => {
        for (const { name, opts, propertyDependencies } of resources)
          seen.push([name, opts.protect, propertyDependencies?.["networkMode"]?.map((from) => from.name)]);
        return { findings: [], notJudged: [] };
      },
    });
    const anchor = { ...container, name: "anchor", protect: true };
    const app = { ...container, name: "app", propertyDependencies: { networkMode: [urnOf(anchor)] } };
    await runStackPolicy(policy, [anchor, app]);
    expect(seen).toEqual([
      ["anchor", true, undefined],
      ["app", false, ["anchor"]],
    ]);
  });

  test("hands a stack policy a component's arguments, of which the engine shows it none", async () => {
    const seen: unknown[] = [];
    const policy = definePolicy({
      ...about,
      judgeStack: (resources) => {
        for (const { type, props } of resources) seen.push([type, props["host"]]);
        return { findings: [], notJudged: [] };
      },
    });
    const component = { type: "tailwart:mail:CaddyEdge", props: { host: "edge" } };
    const settings = { type: "tailwart:mail:Settings", props: { host: "kvm" } };
    await runStackPolicy(policy, [component, settings]);
    expect(seen).toEqual([
      ["tailwart:mail:CaddyEdge", "edge"],
      ["tailwart:mail:Settings", "kvm"],
    ]);
  });

  test("tells what does not concern a policy from what it passed", async () => {
    const notMine = definePolicy({ ...about, judgeResource: () => ({ notApplicable: "not mine" }) });
    const passed = definePolicy({ ...about, judgeResource: () => ({ findings: [], notJudged: [] }) });
    expect(await runPolicy(notMine, container)).toEqual({
      violations: [],
      notJudged: [],
      notApplicable: "not mine",
    });
    expect(await runPolicy(passed, container)).toEqual({ violations: [], notJudged: [] });
  });

  test("uses the type token of the SDK's class", () => {
    expect((Container as unknown as { __pulumiType: string }).__pulumiType).toBe(container.type);
  });
});

describe("the pack's list", () => {
  test("refuses a second policy with the same id", () => {
    expect(() => withUniqueIds([{ id: "a" }, { id: "b" }, { id: "a" }])).toThrow(
      'two policies with the id "a"',
    );
  });

  test("is not empty, and its metadata are complete and in the fixed order", () => {
    const order = [
      "id",
      "description",
      "severity",
      "lesson",
      "enforcementLevel",
      "remediation",
      "url",
      "why",
    ];
    expect(allPolicies.length).toBeGreaterThanOrEqual(3);
    for (const policy of allPolicies) {
      const expected = order.filter((key) => key !== "lesson" || key in policy);
      expect(Object.keys(policy).slice(0, expected.length), policy.id).toEqual(expected);
      expect(policy.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
      expect(policy.description, policy.id).toMatch(/^[A-Z].*\.$/);
      expect(policy.remediation, policy.id).toMatch(/^[A-Z].*\.$/);
      expect(policy.url, policy.id).toMatch(/^https:\/\//);
      expect(policy.judgeResource ?? policy.judgeStack, policy.id).toBeTypeOf("function");
    }
  });
});
