import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { startVitest } from "vitest/node";
import { equivalents } from "./equivalent.ts";
import { instrument, type Mutant, withCaches } from "./mutants.ts";
import { ROOT, type Rule } from "./ownership.ts";

export interface RuleResult {
  readonly id: string;
  readonly mutants: readonly Mutant[];
  readonly killed: ReadonlySet<number>;
  /** Mutants of code that no test reaches. */
  readonly unreached: ReadonlySet<number>;
  /** Tests that fail with no mutant on, which says nothing of any. */
  readonly red: readonly string[];
}

/** A result with what is wrong with it. */
export interface Verdict extends RuleResult {
  /** Alive, of a kind that must not be, and not known to be equivalent. */
  readonly survivors: readonly Mutant[];
  /** Alive, of the kind that only shows where tests could be sharper. */
  readonly tolerated: readonly Mutant[];
  readonly equivalent: readonly Mutant[];
  /** Entries of equivalent.ts that no living mutant matches. */
  readonly stale: readonly string[];
}

/**
 * Runs the rules' tests over every mutant of their files, in one vitest and without writing
 * anything.
 *
 * @param note is told of each file of tests that is done
 */
export async function runMutants(
  rules: readonly Rule[],
  note: (text: string) => void = () => {},
): Promise<RuleResult[]> {
  const built = new Map<string, { code: string; mutants: readonly Mutant[] }>();
  let next = 0;
  for (const file of new Set(rules.flatMap((rule) => rule.files))) {
    const instrumented = instrument(file, readFileSync(join(ROOT, file), "utf8"), next);
    built.set(file, instrumented);
    next += instrumented.mutants.length;
  }
  const without = rules.filter((rule) => rule.tests.length === 0).map((rule) => rule.id);
  if (without.length > 0) throw new Error(`there are no tests of ${without.join(", ")}`);
  const tests = [...new Set(rules.flatMap((rule) => rule.tests))];
  const vitest = await startVitest(
    tests.map((test) => join(ROOT, test)),
    {
      root: ROOT,
      config: false,
      watch: false,
      include: tests,
      runner: join(import.meta.dirname, "runner.ts"),
      pool: "forks",
      maxWorkers: 2,
      testTimeout: 10_000,
      silent: true,
      // It would keep mutants of one run for the next one, where other ones have their ids.
      fsModuleCache: false,
      reporters: [{ onTestModuleEnd: (module) => note(module.relativeModuleId) }],
      env: { TAILWART_PROPERTY_RUNS: "50" },
    },
    {
      plugins: [
        {
          name: "tailwart-mutants",
          enforce: "pre",
          transform(text, id) {
            const file = relative(ROOT, id.replace(/\?.*$/, ""));
            return (
              built.get(file)?.code ??
              (/^(?:policies|lib)\/.*\.ts$/.test(file) ? withCaches(file, text) : undefined)
            );
          },
        },
      ],
    },
  );
  try {
    const modules = vitest.state.getTestModules();
    const unhandled = vitest.state.getUnhandledErrors().map((error) => String(error));
    const red = (tests: readonly string[]) => [
      ...unhandled,
      ...modules
        .filter(({ relativeModuleId }) => tests.includes(relativeModuleId))
        .flatMap((module) => [
          ...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`),
          ...[...module.children.allTests("failed")].map(
            (test) => `${module.relativeModuleId}: ${test.fullName}: ${test.result().errors?.[0]?.message}`,
          ),
        ]),
    ];
    const found = modules.flatMap((module) =>
      [...module.children.allTests("passed")].map((test) => test.meta().mutation),
    );
    const killed = new Set(found.flatMap((one) => one?.killed ?? []));
    const reached = new Set(found.flatMap((one) => one?.reached ?? []));
    return rules.map((rule) => {
      const mutants = rule.files.flatMap((file) => built.get(file)?.mutants ?? []);
      const unreached = mutants.filter(({ id }) => !reached.has(id)).map(({ id }) => id);
      return { id: rule.id, mutants, killed, unreached: new Set(unreached), red: red(rule.tests) };
    });
  } finally {
    await vitest.close();
  }
}

/**
 * Sorts the living mutants: the ones that tests must find, and the ones that nothing could find.
 */
export function judge(result: RuleResult): Verdict {
  const alive = result.mutants.filter(({ id }) => !result.killed.has(id));
  const files = new Set(result.mutants.map(({ file }) => file));
  const entries = equivalents.filter(({ file }) => files.has(file));
  const matches = (mutant: Mutant) =>
    entries.filter(
      ({ file, code, change }) =>
        mutant.file === file && mutant.code === code && (change === undefined || mutant.change === change),
    );
  const equivalent = alive.filter((mutant) => matches(mutant).length > 0);
  const used = new Set(equivalent.flatMap(matches));
  const others = alive.filter((mutant) => !equivalent.includes(mutant));
  return {
    ...result,
    survivors: others.filter(({ kind }) => kind !== "part"),
    tolerated: others.filter(({ kind }) => kind === "part"),
    equivalent,
    stale: entries.filter((entry) => !used.has(entry)).map(({ file, code }) => `${file}: ${code}`),
  };
}
