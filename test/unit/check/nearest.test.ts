import { join } from "node:path";
import { expect, test } from "vitest";

import { readInputs } from "../../../policies/check/stacks.ts";
import { discover } from "../../../policies/check/discover.ts";
import { Repository } from "../../../policies/check/repository.ts";
import { folderOf } from "./folder.ts";

test("a project is judged with the policy file of the nearest folder, and no other", () => {
  const compose = "services:\n  db:\n    image: db\n";
  const folder = folderOf({
    "policy.hujson": '{"grants": []}',
    "compose.yml": compose,
    "a/policy.hujson": '{"grants": []}',
    "a/compose.yml": compose,
  });
  const repository = new Repository(folder);
  const { stacks } = readInputs(discover([folder], repository), repository, []);
  const policyFilesOf = (file: string) =>
    stacks
      .find(({ at }) => at.file === file)
      ?.resources.filter(({ type }) => type === "tailscale:index/acl:Acl")
      .map(({ name }) => name);
  expect(policyFilesOf("compose.yml")).toEqual(["policy.hujson"]);
  expect(policyFilesOf(join("a", "compose.yml"))).toEqual(["a/policy.hujson"]);
});
