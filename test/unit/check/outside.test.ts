import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { Repository } from "../../../policies/check/repository.ts";
import { checkFolder, folderOf } from "./folder.ts";

const NODE = "100.101.102.103";
const service = (...lines: string[]) =>
  `services:\n  db:\n    image: db\n${lines.map((line) => `    ${line}\n`).join("")}`;
const files = {
  "own/compose.yml": service("env_file: [../theirs/a.env, link.env]"),
  "theirs/a.env": `A=${NODE}\n`,
};

describe("a file outside of the repository", () => {
  test("is not read, whether it is named or linked, and listed", async () => {
    const folder = folderOf(files);
    symlinkSync("../theirs/a.env", join(folder, "own/link.env"));
    const { findings, notJudged } = await checkFolder(join(folder, "own"));
    expect(findings.filter(({ policy }) => policy === "no-hardcoded-tailnet-ip")).toEqual([]);
    const because = "is outside of the repository, and not read";
    for (const file of ["../theirs/a.env", "link.env"])
      expect(notJudged).toContainEqual(expect.objectContaining({ file, because }));
  });

  test("begins above git's root, whichever folder of it the check starts in", async () => {
    const folder = folderOf({ ...files, "own/compose.yml": service("env_file: ../theirs/a.env") });
    mkdirSync(join(folder, ".git"));
    const { findings } = await checkFolder(join(folder, "own"));
    expect(findings.map(({ file }) => file)).toContain("../theirs/a.env");
  });

  test("is read where the user names it", async () => {
    const folder = folderOf({ "own/x.yml": "", "theirs/compose.yml": service(`environment: [A=${NODE}]`) });
    const { findings } = await checkFolder(join(folder, "own"), "../theirs/compose.yml");
    expect(findings.map(({ file }) => file)).toContain("../theirs/compose.yml");
  });
});

test("a file that is larger than it says is not read", () => {
  expect(new Repository("/proc/self").read("/proc/self/status")).toContain("Name:");
  expect(new Repository("/proc/self").read("/proc/self/status", 8)).toBeUndefined();
});
