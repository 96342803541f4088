import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allPolicies } from "../../policies/rules/index.ts";
import { readCompose } from "./compose-reader.ts";
import { runPolicy, runStackPolicy, secret, type Outcome, type TestResource } from "./harness.ts";

/**
 * Stacks of the kinds that people publish, in our own words and run as a careful engineer runs
 * them: whatever a policy refuses here is a false alarm, and the policy is what has to change.
 */
const CORPUS = join(import.meta.dirname, "corpus");

/** `{"$secret": x}` is x, marked as a secret of the stack. */
function revive(_: string, value: unknown): unknown {
  const isSecret = typeof value === "object" && value !== null && "$secret" in value;
  return isSecret ? secret(value.$secret) : value;
}

/** A stack is a list of resources, or a folder with a compose file and what that mounts. */
const resourcesOf = (stack: string): TestResource[] =>
  stack.endsWith(".json")
    ? (JSON.parse(readFileSync(join(CORPUS, stack), "utf8"), revive) as TestResource[])
    : readCompose(join(CORPUS, stack, `${stack}.compose.yaml`));

/** What every policy says of a stack: of each resource, then of the whole. */
async function sayAll(resources: readonly TestResource[]): Promise<(readonly [string, Outcome])[]> {
  const said: (readonly [string, Outcome])[] = [];
  for (const policy of allPolicies) {
    if (policy.judgeResource)
      for (const resource of resources)
        said.push([`${policy.id} @${resource.name}`, await runPolicy(policy, resource)]);
    if (policy.judgeStack) said.push([`${policy.id} @(stack)`, await runStackPolicy(policy, resources)]);
  }
  return said;
}

const stacks = readdirSync(CORPUS);

describe("no policy refuses anything in", () => {
  test.each(stacks)("%s", async (stack) => {
    const said = await sayAll(resourcesOf(stack));
    const refused = said.flatMap(([place, { violations }]) => violations.map((text) => `${place}: ${text}`));
    expect(refused).toEqual([]);
    expect(said.filter(([, { blind }]) => blind !== undefined)).toEqual([]);
    // Silence counts only where a policy had something to judge.
    const judged = said.filter(([, { notApplicable }]) => notApplicable === undefined);
    expect(judged.length).toBeGreaterThan(5);
  });
});

test("the corpus is ten compose files and ten lists of resources", () => {
  expect(stacks.filter((stack) => stack.endsWith(".json"))).toHaveLength(10);
  expect(stacks).toHaveLength(20);
});
