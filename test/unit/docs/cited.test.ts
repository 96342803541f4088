import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { allPolicies } from "../../../policies/rules/index.ts";

const PROJECT = join(import.meta.dirname, "..", "..", "..");
const read = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const page = (lesson: number) => `docs/lessons/${String(lesson).padStart(2, "0")}.md`;

/** Every text of the project that may cite something; not what others have written. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: PROJECT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => /\.(?:ts|mjs|js|sh|md|ya?ml|json)$/.test(path) && !path.startsWith("tools/go/"))
  .filter((path) => path !== "package-lock.json" && existsSync(join(PROJECT, path)));

/** Numbers that follow a word: "lessons 6 and 16" cites two. */
function cited(word: string): Map<number, string[]> {
  const pattern = new RegExp(`\\b${word}s? (\\d+(?:(?:, | and |, and )\\d+)*)`, "gi");
  const found = new Map<number, string[]>();
  for (const path of files)
    for (const [, numbers = ""] of read(path).matchAll(pattern))
      for (const [number] of numbers.matchAll(/\d+/g))
        found.set(Number(number), [...(found.get(Number(number)) ?? []), path]);
  return found;
}

describe("a number that a message or a comment names", () => {
  test("as a lesson has a page", () => {
    const lessons = cited("lesson");
    expect(lessons.size).toBeGreaterThan(15);
    expect([...lessons].filter(([lesson]) => !existsSync(join(PROJECT, page(lesson))))).toEqual([]);
  });

  test("as a decision has a heading in docs/design.md", () => {
    const headings = [...read("docs/design.md").matchAll(/^## (\d+)\. /gm)].map(([, number]) =>
      Number(number),
    );
    const decisions = cited("decision");
    expect(decisions.size).toBeGreaterThan(10);
    expect([...decisions].filter(([decision]) => !headings.includes(decision))).toEqual([]);
  });
});

describe("the table of lessons", () => {
  const table = [
    ...read("docs/lessons/README.md").matchAll(
      /^\| \[(\d+)\]\((\d+)\.md\) \| ([^|]+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm,
    ),
  ];
  const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");

  test("has a row for each page, with the page's own title", () => {
    expect(table.map(([, number]) => Number(number))).toEqual(table.map((_, at) => at + 1));
    for (const [, number, file, title] of table)
      expect(read(`docs/lessons/${file}.md`)).toMatch(`# Lesson ${number}: ${title}\n`);
  });

  test("names every policy that comes from a lesson, and no other", () => {
    const named = table.flatMap(([, number, , , , policies = ""]) =>
      quoted(policies).map((id) => `${number} ${id}`),
    );
    const judged = allPolicies.flatMap(({ id, lesson }) => (lesson === undefined ? [] : [`${lesson} ${id}`]));
    expect(named).toEqual(expect.arrayContaining(judged));
    expect(named.filter((each) => !allPolicies.some(({ id }) => each.endsWith(` ${id}`)))).toEqual([]);
  });

  test("names files that are there, as what prevents the outage", () => {
    const named = table.flatMap(([, , , , prevented = ""]) => quoted(prevented));
    const paths = named.filter((each) => /^\w+\//.test(each));
    expect(paths.length).toBeGreaterThan(15);
    expect(paths.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  });
});

test("a lesson's page names tests that are there", () => {
  const named = [...new Array(20).keys()].flatMap((at) =>
    [...read(page(at + 1)).matchAll(/`(\d\d-[\w-]+|settings-route)`/g)].map(([, name]) => name ?? ""),
  );
  expect(named.length).toBeGreaterThan(5);
  for (const name of named)
    expect(files).toEqual(expect.arrayContaining([expect.stringMatching(`/${name}\\.test\\.ts$`)]));
});

test("docs/contributing.md names files and folders that are there", () => {
  const named = [...read("docs/contributing.md").matchAll(/`((?:\w+\/)+[\w.-]*)`/g)].map(
    ([, path]) => path ?? "",
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
});

test("nothing cites a place that a reader of the project does not have", () => {
  const elsewhere = /\(issue \d+\)|\bresearch\/|of the design\b/;
  const own = "test/unit/docs/cited.test.ts";
  expect(files.filter((path) => path !== own && elsewhere.test(read(path)))).toEqual([]);
});
