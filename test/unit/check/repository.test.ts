import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { Repository } from "../../../policies/check/repository.ts";
import { folderOf } from "./folder.ts";

describe("a repository", () => {
  const folder = folderOf({
    ".gitignore": "*.env\n!public.env\nout/\n/only-here\n",
    "deep/.gitignore": "!kept.env\n",
    "text.txt": "\uFEFFtext",
    "data.bin": "a\0b",
  });
  mkdirSync(join(folder, ".git"));
  const repository = new Repository(folder);

  test.each([
    [".env", true],
    ["public.env", false],
    ["deep/a.env", true],
    ["deep/kept.env", false],
    ["out/x.yml", true],
    ["deep/out/x.yml", true],
    ["only-here", true],
    ["deep/only-here", false],
  ])("leaves out %s: %s", (path, isIgnored) => {
    expect(repository.isIgnored(join(folder, path))).toBe(isIgnored);
  });

  test("lets secrets stand in an env file that git ignores, and in any outside of a repository", () => {
    expect(repository.mayHoldSecrets(join(folder, ".env"))).toBe(true);
    expect(repository.mayHoldSecrets(join(folder, "public.env"))).toBe(false);
    const alone = folderOf({ "public.env": "" });
    expect(new Repository(alone).mayHoldSecrets(join(alone, "public.env"))).toBe(true);
  });

  test("reads texts, and neither data nor what is too large", () => {
    expect(repository.read(join(folder, "text.txt"))).toBe("text");
    expect(repository.read(join(folder, "data.bin"))).toBeUndefined();
    expect(new Repository(folder).read(join(folder, "text.txt"), 3)).toBeUndefined();
    expect(repository.unreadable).toEqual(new Set());
  });

  test("notes what is there and may not be read", () => {
    const other = new Repository("/proc/self");
    expect(other.read("/proc/self/mem")).toBeUndefined();
    expect(other.list("/proc/self/gone")).toEqual([]);
    expect(other.unreadable).toEqual(new Set(["mem", "gone"]));
  });
});
