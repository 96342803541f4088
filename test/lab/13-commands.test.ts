// Every command that the README shows, run by npm as it is written there, on the tests' lab.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { said, up } from "./lab.ts";
import { LAB } from "./setup.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const README = readFileSync(join(PROJECT, "README.md"), "utf8");
/** What `npm pack` makes, in the folder that it is called in. */
const PACKAGE = join(PROJECT, "tailwart-policies-0.1.0.tgz");
const OUT = mkdtempSync(join(tmpdir(), "tailwart-commands-"));

const ON_LAB = ["--name", LAB];
/** What would take too long, or away what other tests need, says how it is used. */
const HELP = ["--help"];

/** What is put behind each command. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "npm run preview": ON_LAB,
  "npm run review": ["--out", OUT],
  "npm run audit": [...ON_LAB, "--out", OUT],
  "npm run doctor": ON_LAB,
  "npm run dns": ON_LAB,
  "npm run lab -- info --json": ON_LAB,
  // How all of the lab's commands are used; 18-lessons replays them.
  "npm run lab -- lessons": ["--help"],
  "npm run lab -- faults": ["--help"],
  "npm run down": ["--name", "nosuchlab"],
  "npm run bench": HELP,
  "npm run test:full": HELP,
  "npm run test:guards": HELP,
  "npm run test:mutation": HELP,
  // As it is: what it leaves beside the sources is none of git's.
  "npm run pack:policies": [],
  // The lab's own `up` has imported its policy by the same function; of prod it would be the real
  // one.
  "npm run adopt -- policy --stack prod": HELP,
  "npm run adopt -- settings": ON_LAB,
  // test/engine/adopt-dns runs it: a lab's zone has nobody else's records.
  "npm run adopt -- dns --stack prod": HELP,
  "npm run docs": [],
};
/**
 * Commands of the README's first block that a run of these tests is made of: setup.ts, and
 * `npm test`.
 */
const RUNNING = ["npm run up", "npm test"];

/** Commands as the README shows them: first cells of tables, and lines of indented blocks. */
const shown = [
  ...[...README.matchAll(/^\| `(npm [^`]+)` \|/gm)].map(([, command = ""]) => command),
  ...[...README.matchAll(/^ {4}(npm [^#\n]+?) *(?:#.*)?$/gm)].map(([, command = ""]) => command),
];

function run(command: string, more: readonly string[]) {
  const [npm = "", ...words] = command.split(" ");
  const args = [...words, ...(more.length > 0 && !words.includes("--") ? ["--"] : []), ...more];
  const done = spawnSync(npm, args, { cwd: PROJECT, encoding: "utf8", timeout: 280_000, maxBuffer: 2 ** 26 });
  return { ...done, said: `${done.stdout}\n${done.stderr}` };
}

const changes = () => run("git status --porcelain", []).stdout;

beforeAll(async () => {
  const deployed = await up({}, "--refresh");
  expect(deployed.code, said(deployed)).toBe(0);
});
afterAll(() => {
  rmSync(OUT, { recursive: true });
  rmSync(PACKAGE, { force: true });
});

test("each command of the README is run here", () => {
  expect(new Set(shown)).toEqual(new Set([...Object.keys(COMMANDS), ...RUNNING]));
});

describe("works as the README has it, and changes nothing that git knows", () => {
  test.each(Object.entries(COMMANDS))("%s", (command, more) => {
    const before = changes();
    const done = run(command, more);
    expect(done.status, done.said).toBe(0);
    const usage = `^(Usage:|      ) ${command.replace(/ prod$/, " STACK")}`;
    if (more === HELP) expect(done.stdout).toMatch(new RegExp(usage, "m"));
    expect(changes()).toBe(before);
  });
});
