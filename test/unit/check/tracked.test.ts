import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

import { checkFolder, folderOf, placesOf } from "./folder.ts";

test("secrets in an env file that is tracked are in the repository, though git ignores it", async () => {
  const folder = folderOf({
    ".gitignore": "*.env\n",
    "compose.yml": "services:\n  db:\n    image: db\n    env_file: [old.env, new.env]\n",
    "old.env": "DB_PASSWORD=kR7w0qZ2mXcT\n",
    "new.env": "API_PASSWORD=kR7w0qZ2mXcT\n",
  });
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  execFileSync("git", ["add", "--force", "old.env"], { cwd: folder });
  const result = await checkFolder(folder);
  expect(placesOf(result, "secrets-not-in-plain-sight")).toEqual(["old.env:1"]);
});
