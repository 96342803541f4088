import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Flow } from "../../lib/tailnet/flows.ts";
import { grantsFor } from "../../lib/tailnet/grants.ts";
import { tailnetFlowsGranted as policy } from "../../policies/rules/tailnet-flows-granted.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { runStackPolicy, UNKNOWN, urnOf, type TestResource } from "./harness.ts";

/**
 * The policy is not fed by the flow table: with any one row gone from the grants, the resources of
 * the golden stack still say that it is needed.
 */

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../golden/prod.json"), "utf8"),
) as Registered[];
const urns = new Map(golden.map(({ type, name }) => [`${type} ${name}`, urnOf({ type, name, props: {} })]));
const ACL = "tailscale:index/acl:Acl";
const POLICY = "tailwart:mail:TailnetPolicy";

const flows = golden.find(({ type }) => type === POLICY)?.inputs["flows"] as Flow[];

/**
 * The stack, with an Acl made from the given rows; the rows themselves are in none of its
 * resources.
 */
const stackWith = (rows: readonly Flow[]): TestResource[] =>
  golden.map(({ type, name, inputs, comesFrom = {} }) => ({
    type,
    name,
    props:
      type === ACL
        ? { ...inputs, acl: JSON.stringify({ grants: grantsFor(rows) }) }
        : type === POLICY
          ? { ...inputs, flows: [] }
          : inputs,
    propertyDependencies: Object.fromEntries(
      Object.entries(comesFrom).map(([input, sources]) => [
        input,
        sources.map((source) => urns.get(source) ?? source),
      ]),
    ),
  }));

const label = ({ from, to, port }: Flow): string => `${from} → ${to}:${port}`;
/** The name that the resources use for the node with a tag. */
const HOSTS: Record<string, string> = {
  "tag:stalwart": "stalwart",
  "tag:db": "the-record-prod",
  "tag:mail": "mailbox",
};

test("the golden stack has rows to take away", () => expect(flows.length).toBeGreaterThan(8));

test("with every row granted nothing is wrong and nothing is left unjudged", async () => {
  expect(await runStackPolicy(policy, stackWith(flows))).toEqual({ violations: [], notJudged: [] });
});

test("below another domain than ts.net, as a coordination server of one's own gives, each row is missed as well", async () => {
  const elsewhere = (rows: readonly Flow[]): TestResource[] =>
    JSON.parse(
      JSON.stringify(stackWith(rows)).replaceAll("tail7b1641.ts.net", "tail.example.org"),
    ) as TestResource[];
  expect(await runStackPolicy(policy, elsewhere(flows))).toEqual({ violations: [], notJudged: [] });
  for (const row of flows) {
    const { violations, notJudged } = await runStackPolicy(
      policy,
      elsewhere(flows.filter((one) => one !== row)),
    );
    expect(notJudged).toEqual([]);
    expect(violations).toEqual([expect.stringContaining(String(row.port))]);
  }
});

test("at a first preview, where ids and keys are unknown, each row is missed as well", async () => {
  const made = /^(?:container:)?[\w-]+-id$|^(?:key|hash|password|secret)-of-/;
  const first = (rows: readonly Flow[]): TestResource[] =>
    JSON.parse(JSON.stringify(stackWith(rows)), (_, value: unknown) =>
      typeof value === "string" && made.test(value) ? UNKNOWN : value,
    ) as TestResource[];
  expect(JSON.stringify(first(flows))).toContain(UNKNOWN);
  expect(await runStackPolicy(policy, first(flows))).toEqual({ violations: [], notJudged: [] });
  for (const row of flows) {
    const { violations, notJudged } = await runStackPolicy(policy, first(flows.filter((one) => one !== row)));
    expect(notJudged).toEqual([]);
    expect(violations).toEqual([expect.stringContaining(String(row.port))]);
  }
});

describe("without the row", () => {
  test.each(flows.map((row) => [label(row), row] as const))(
    "%s the policy names the flow",
    async (_, row) => {
      const { violations, notJudged } = await runStackPolicy(
        policy,
        stackWith(flows.filter((one) => one !== row)),
      );
      const operators = !row.from.startsWith("tag:");
      expect(violations).toEqual([
        expect.stringContaining(
          operators
            ? `listens for operators on port ${row.port}, which no grant lets anybody reach`
            : `needs ${row.from} to reach ${HOSTS[row.to]}.tail7b1641.ts.net:${row.port}`,
        ),
      ]);
      expect(violations[0]).toContain(
        `instead: { "src": ["${row.from}"], "dst": ["${row.to}"], "ip": ["tcp:${row.port}"] } among the grants`,
      );
      expect(notJudged).toEqual([]);
    },
  );

  test.each(flows.filter(({ from }) => from.startsWith("tag:")).map((row) => [label(row), row] as const))(
    "%s, but with the opposite one, the policy says so",
    async (_, row) => {
      const rows = flows.map((one) => (one === row ? { ...one, from: one.to, to: one.from } : one));
      const { violations } = await runStackPolicy(policy, stackWith(rows));
      expect(violations).toEqual([
        expect.stringContaining("and only the opposite direction is granted (grants["),
      ]);
    },
  );
});
