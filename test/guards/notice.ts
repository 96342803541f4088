import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand } from "../../lib/run-command.ts";
import type { Cut } from "./cut.ts";

/** What a run of tests has found. */
export interface Run {
  /** Tests that are red: file and sentence. */
  red: { file: string; sentence: string }[];
  /** Files none of whose tests has run: they could not be loaded, or prepared. */
  unloaded: string[];
  passed: number;
}

/** What a run may take. Milliseconds. */
const DEADLINE = 600_000;

/**
 * The tests that stand beside the files of a cut, and those that it names.
 *
 * @param exists whether a test is there
 */
export function besides({ edits, tests = [] }: Cut, exists: (file: string) => boolean): string[] {
  const own = edits.map(({ file }) =>
    file.startsWith("policies/rules/")
      ? file.replace("policies/rules/", "test/policy/").replace(/\.ts$/, ".test.ts")
      : `test/unit/${file.replace(/\.\w+$/, "")}.test.ts`,
  );
  return [...new Set([...tests, ...own])].filter(exists);
}

/**
 * Runs tests in a tree until one is red. What the golden files say is left out: `-u` writes them
 * anew, guard or not.
 *
 * @param which.tests files of tests
 * @param which.sentences of those only the tests of these names. Default: each
 * @param which.importing or the fast tests that import one of these files
 * @throws Error where vitest itself fails
 */
export async function runTests(
  folder: string,
  which: { tests: readonly string[]; sentences?: readonly string[] } | { importing: readonly string[] },
): Promise<Run> {
  const out = mkdtempSync(join(tmpdir(), "tailwart-notice-"));
  const report = join(out, "report.json");
  const how = ["--bail", "1", "--maxWorkers", "1", "--reporter", "json", `--outputFile=${report}`];
  const args = [...("tests" in which ? given(which) : related(which)), ...how];
  // Vitest would take itself for a worker of the one that runs this test.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  try {
    const vitest = join(folder, "node_modules", ".bin", "vitest");
    const done = await runCommand(vitest, args, {
      cwd: folder,
      env,
      deadline: DEADLINE,
      wholeGroup: true,
    });
    if (!existsSync(report)) throw new Error(`vitest has left no report: ${done.stderr.slice(-2000)}`);
    return readReport(JSON.parse(readFileSync(report, "utf8")) as Report, folder);
  } finally {
    rmSync(out, { recursive: true });
  }
}

function given({ tests, sentences = [] }: { tests: readonly string[]; sentences?: readonly string[] }) {
  const slow = tests.some((file) => file.startsWith("test/engine/"));
  const named = sentences.map((sentence) => sentence.replace(/[^\w ]/g, "\\$&")).join("|");
  const some = named === "" ? [] : ["--testNamePattern", `^(?:${named})$`];
  return ["run", ...tests, "--project", "unit", ...(slow ? ["--project", "engine"] : []), ...some];
}

const related = ({ importing }: { importing: readonly string[] }) => [
  ...["related", ...importing, "--run", "--passWithNoTests"],
  ...["--project", "unit", "--exclude", "test/golden/**"],
];

/** What of vitest's JSON report is read. */
export interface Report {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; ancestorTitles: string[]; title: string }[];
  }[];
}

export function readReport({ testResults }: Report, folder: string): Run {
  const relative = (name: string) => name.replace(`${folder}/`, "");
  const failed = testResults.filter(({ status }) => status === "failed");
  return {
    red: failed.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ ancestorTitles, title }) => ({
          file: relative(name),
          // As --testNamePattern has it.
          sentence: [...ancestorTitles, title].join(" > "),
        })),
    ),
    unloaded: failed
      .filter(({ assertionResults }) => assertionResults.every(({ status }) => status !== "failed"))
      .map(({ name }) => relative(name)),
    passed: testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === "passed").length,
  };
}
