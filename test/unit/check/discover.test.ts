import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { discover } from "../../../policies/check/discover.ts";
import { Repository } from "../../../policies/check/repository.ts";
import { folderOf } from "./folder.ts";

const COMPOSE = "services:\n  a:\n    image: a\n";

const foundIn = (files: Record<string, string>) => {
  const folder = folderOf(files);
  mkdirSync(join(folder, ".git"));
  return discover([folder], new Repository(folder)).map(
    ({ kind, path }) => `${kind} ${path.slice(folder.length + 1)}`,
  );
};

test("every kind of file is found, by its name or by what it says", () => {
  const found = foundIn({
    "compose.yaml": COMPOSE,
    "docker-compose.prod.yml": COMPOSE,
    "mail/stack.yml": COMPOSE,
    "edge/Caddyfile": "",
    "edge/site.caddyfile": "",
    "edge/Caddyfile.prod": "",
    "edge/config.json": '{"apps": {"http": {}}}',
    "policy.hujson": '{"grants": []}',
    "acl.json": '// x\n{"ACLs": []}',
    "config.toml": '[server.listener."smtp"]\n[storage]\n',
    "plan.ndjson": '{"@type":"update","object":"Http","value":{}}\n',
    "state.json": '{\n "version": 3,\n "deployment": {}}',
  });
  expect(found.sort()).toEqual([
    "caddy edge/Caddyfile",
    "caddy edge/Caddyfile.prod",
    "caddy edge/config.json",
    "caddy edge/site.caddyfile",
    "compose compose.yaml",
    "compose docker-compose.prod.yml",
    "compose mail/stack.yml",
    "plan plan.ndjson",
    "policy acl.json",
    "policy policy.hujson",
    "settings config.toml",
    "state state.json",
  ]);
});

test("nothing else is: workflows, manifests, other programs' files, what git ignores, and packages", () => {
  expect(
    foundIn({
      ".github/workflows/ci.yml": "jobs:\n  a:\n    services:\n      db:\n        image: db\n",
      "k8s.yml": "kind: Deployment\nspec:\n  image: x\n",
      "package.json": '{"name": "x"}',
      "check.json": '{"findings": [{"urn": "urn:pulumi:check::files::x::y"}]}',
      "Cargo.toml": "[package]\n",
      "rows.ndjson": '{"a": 1}\n',
      "node_modules/x/compose.yml": COMPOSE,
      "out/compose.yml": COMPOSE,
      ".gitignore": "out/\n",
      "binary.yml": "services:\0",
    }),
  ).toEqual([]);
});

test("a folder's own .gitignore takes precedence, and a file that is named is read in any case", () => {
  const files = {
    ".gitignore": "*.yml\n",
    "a/.gitignore": "!compose.yml\n",
    "a/compose.yml": COMPOSE,
    "b/compose.yml": COMPOSE,
  };
  expect(foundIn(files)).toEqual(["compose a/compose.yml"]);
  const folder = folderOf(files);
  const path = join(folder, "b/compose.yml");
  expect(discover([path], new Repository(folder))).toEqual([{ kind: "compose", path }]);
});
