import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import ts from "typescript";

export const ROOT = resolve(import.meta.dirname, "../..");

/**
 * A rule: what is mutated for it, and the tests that must turn red. Paths from the project's root.
 */
export interface Rule {
  readonly id: string;
  /** The policy's file, and the files of policies/ that no other policy uses. */
  readonly files: readonly string[];
  /** The policy's own tests, and those of its files. */
  readonly tests: readonly string[];
}

/** Tests over every policy or parser show nothing of one rule, and are slow. */
const OVER_ALL: readonly string[] = ["own-stack.test.ts", "robustness.test.ts"];

const importsOf = new Map<string, readonly string[]>();

/** The project's own files that a file imports, as paths from the root. */
function imports(file: string): readonly string[] {
  const known = importsOf.get(file);
  if (known) return known;
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), "utf8"));
  const found = importedFiles
    .filter(({ fileName }) => /^\.{1,2}\/.*\.ts$/.test(fileName))
    .map(({ fileName }) => relative(ROOT, resolve(ROOT, file, "..", fileName)));
  importsOf.set(file, found);
  return found;
}

function closure(file: string, seen = new Set<string>()): Set<string> {
  if (!seen.has(file)) {
    seen.add(file);
    for (const next of imports(file)) closure(next, seen);
  }
  return seen;
}

/** The rules of the policies with these ids, each with the files that it alone uses. */
export function rulesOf(ids: readonly string[], all: readonly string[]): Rule[] {
  const uses = new Map(all.map((id) => [id, closure(`policies/rules/${id}.ts`)] as const));
  const tests = readdirSync(join(ROOT, "test/policy"))
    .filter((file) => file.endsWith(".test.ts") && !OVER_ALL.includes(file))
    .map((file) => `test/policy/${file}`);
  const usersOf = (file: string) => all.filter((id) => uses.get(id)?.has(file));
  return ids.map((id) => {
    const own = (file: string) => file === `policies/rules/${id}.ts` || usersOf(file).join() === id;
    const ofThisRule = (test: string) =>
      imports(test).some(own) && imports(test).every((file) => own(file) || usersOf(file).length !== 1);
    return {
      id,
      files: [...(uses.get(id) ?? [])].filter((file) => file.startsWith("policies/") && own(file)),
      tests: tests.filter((test) => test === `test/policy/${id}.test.ts` || ofThisRule(test)),
    };
  });
}
