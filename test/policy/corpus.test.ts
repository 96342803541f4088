import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resourcesIn } from "./compose-reader.ts";
import type { TestResource } from "./harness.ts";
import { revived, sayAll } from "./whole-pack.ts";

/**
 * Stacks of the kinds that people publish, in our own words and run as a careful engineer runs
 * them: whatever a policy refuses here is a false alarm, and the policy is what has to change.
 */
const CORPUS = join(import.meta.dirname, "corpus");

/** A stack is a list of resources, or a folder with a compose file and what that mounts. */
const resourcesOf = (stack: string): TestResource[] =>
  stack.endsWith(".json")
    ? (revived(JSON.parse(readFileSync(join(CORPUS, stack), "utf8"))) as TestResource[])
    : resourcesIn(join(CORPUS, stack));

const stacks = readdirSync(CORPUS);

describe("no policy refuses anything in", () => {
  test.each(stacks)("%s", async (stack) => {
    const said = await sayAll(resourcesOf(stack));
    const refused = said.flatMap(({ policy, resource, outcome }) =>
      outcome.violations.map((text) => `${policy} @ ${resource}: ${text}`),
    );
    expect(refused).toEqual([]);
    expect(said.filter(({ outcome }) => outcome.blind !== undefined)).toEqual([]);
    // Silence counts only where a policy had something to judge.
    const judged = said.filter(({ outcome }) => outcome.notApplicable === undefined);
    expect(judged.length).toBeGreaterThan(5);
  });
});

test("the corpus is ten compose files and twelve lists of resources", () => {
  expect(stacks.filter((stack) => stack.endsWith(".json"))).toHaveLength(12);
  expect(stacks).toHaveLength(22);
});
