import { expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { checkFiles, folderOf } from "./folder.ts";

const service = (value: string) => `services:\n  a:\n    image: x\n    environment: ["A=${value}"]\n`;
const doubling = Array.from({ length: 30 }, (_, index) => `V${index + 1}=$V${index}$V${index}\n`).join("");

test.each([
  ["nested too deep", { "compose.yml": service("${A:-".repeat(50_000)) }, "compose.yml", 4],
  ["too long", { "compose.yml": service("$V30"), ".env": `V0=xx\n${doubling}` }, ".env", 18],
  [
    "too long",
    { "compose.yml": `${service("")}    env_file: a.env\n`, "a.env": `V0=xx\n${doubling}` },
    "a.env",
    18,
  ],
  [
    "cannot be read as what it is",
    { "state.json": `{"version":3,"deployment":{"resources":${"[".repeat(200_000)}` },
    "state.json",
    1,
  ],
])("what is %s is a problem of its file, and the others are judged", async (words, files, file, line) => {
  const node = "services:\n  b:\n    image: x\n    environment: [A=100.101.102.103]\n";
  const { problems, findings } = await checkFiles({ ...files, "b/compose.yml": node });
  expect(problems).toEqual([{ file, line, message: expect.stringContaining(words) as string }]);
  expect(findings.map((one) => one.file)).toContain("b/compose.yml");
});

test("a baseline in a folder that is not there is a mistake in words", async () => {
  const folder = folderOf({ "compose.yml": service("") });
  const { stderr, exitCode } = await check(["--baseline", "no/known.json", "--write-baseline"], folder, "1");
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("known.json cannot be written: ENOENT")]);
});
