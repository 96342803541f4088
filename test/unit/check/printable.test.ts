import { expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { folderOf } from "./folder.ts";

const run = (folder: string, ...args: string[]) => check(args, folder, "1.2.3");
const NODE = "100.101.102.103";
const STEERING = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

test("the text steers no terminal, whatever files hold and are called", async () => {
  const key = JSON.stringify(`A\u001b[2K\u009b1A\u202e`);
  const folder = folderOf({
    "compose.\u001b[2J.yml": "services: {}",
    "a\u001b[2J\nb/compose.yml": `services:\n  db:\n    image: db\n    environment: { ${key}: ${NODE} }\n`,
    "c\u001b[2J/compose.yml": "services: [",
  });
  const { stdout } = await run(folder);
  expect(stdout).toContain(NODE);
  expect(stdout).not.toMatch(STEERING);
  expect(stdout).toContain("\na\uFFFD[2J b/compose.yml:4: error");
});

test("a mistake in words steers none either", async () => {
  const { stderr } = await run(folderOf({}), "gone\u001b[2J");
  expect(stderr).toBe("error: there is no file or folder gone\uFFFD[2J\n");
});
