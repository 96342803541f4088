import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { selected, type Selection } from "../../../../cli/review/selection.ts";

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "tailwart-selection-"));
  write("Pulumi.yaml", "name: shop\nruntime: nodejs\n");
});
afterEach(() => rmSync(project, { recursive: true }));

const write = (file: string, text = "config: {}\n") => writeFileSync(join(project, file), text);
const stacks = (more: Partial<Selection> = {}) =>
  selected({ project, fromNothing: false, mayLackFile: false, ...more }).map(({ stack }) => stack);

describe("which stacks are reviewed", () => {
  test("all that have a file, production's among them", () => {
    for (const file of ["Pulumi.review.yaml", "Pulumi.prod.yaml", "Pulumi.eu-1.test_2.yaml"]) write(file);
    for (const file of ["Pulumi.prod.yaml.bak", "Pulumi..yml", "pulumi.x.yaml", "package.json"]) write(file);
    expect(stacks()).toEqual(["eu-1.test_2", "prod", "review"]);
  });

  test.each(["stackConfigDir", "config"])("also where Pulumi.yaml keeps them in a folder (%s)", (key) => {
    mkdirSync(join(project, "stacks"));
    write("Pulumi.yaml", `name: shop\nruntime: nodejs\n${key}: stacks\n`);
    write("stacks/Pulumi.prod.yaml");
    expect(stacks()).toEqual(["prod"]);
    expect(stacks({ stack: "prod" })).toEqual(["prod"]);
  });

  test("one that is named, alone", () => {
    for (const file of ["Pulumi.review.yaml", "Pulumi.prod.yaml"]) write(file);
    expect(stacks({ stack: "prod" })).toEqual(["prod"]);
  });

  test("one without a file, where the program is a stranger's", () => {
    expect(stacks({ mayLackFile: true })).toEqual(["review"]);
    expect(() => stacks()).toThrow(/there is no file .*Pulumi\.review\.yaml/);
    expect(() => stacks({ mayLackFile: true, configFile: "/nowhere.yaml" })).toThrow(/there is no file/);
  });

  test("none where there is no program", () => {
    rmSync(join(project, "Pulumi.yaml"));
    expect(() => stacks()).toThrow(/there is no Pulumi\.yaml/);
    write("Pulumi.yaml", "");
  });
});
