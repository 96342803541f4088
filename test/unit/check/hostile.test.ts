import { describe, expect, test } from "vitest";

import { readEnvFile } from "../../../policies/check/compose/env-file.ts";
import { isPlan } from "../../../policies/check/input/stalwart.ts";
import { linesOf } from "../../../policies/check/input/toml.ts";
import { checkFiles } from "./folder.ts";

/** Ample on a slow machine; without a bound each of these takes minutes, or never ends. */
const SECONDS = 20;

describe("a file that is made to hang the check", () => {
  test("is a bomb of aliases, and told in words", { timeout: SECONDS * 1000 }, async () => {
    const list = (name: string) => Array.from({ length: 9 }, () => `*${name}`).join(", ");
    const levels = [..."bcdefghij"].map(
      (name, index) => `x-${name}: &${name} [${list("abcdefghij"[index] ?? "")}]`,
    );
    const text = ["x-a: &a [lol]", ...levels, "services: {}", ""].join("\n");
    const { exitCode, problems } = await checkFiles({ "compose.yml": text });
    expect([exitCode, problems]).toEqual([
      1,
      [expect.objectContaining({ file: "compose.yml", message: "no YAML: more than 100000 nodes" })],
    ]);
  });

  test("has very many aliases of one anchor", { timeout: SECONDS * 1000 }, async () => {
    const text = `x-a: &a 1\nx-b: [${"*a, ".repeat(40_000)}]\nservices: {}\n`;
    expect((await checkFiles({ "compose.yml": text })).problems).toEqual([]);
  });

  test("has very many empty lines before what it is known by", { timeout: SECONDS * 1000 }, async () => {
    const empty = "\n".repeat(400_000);
    const { problems } = await checkFiles({
      "compose.yml": `services:\n  a:\n    image: x\n`,
      "compose.b.yml": `services:\n  a:${empty}    x: y\n`,
      "other.yml": `services:\n${empty}a: b\n`,
    });
    expect(problems).toEqual([]);
    expect(isPlan(`${empty}"@type":`)).toBe(false);
  });

  test("has very many blanks in the head of a table", { timeout: SECONDS * 1000 }, () => {
    expect(linesOf(`[${" ".repeat(20_000)}`)).toEqual(new Map());
    expect(linesOf("[ server . tls ] # what\na = 1\n")).toEqual(
      new Map([
        ["server.tls", 1],
        ["server.tls.a", 2],
      ]),
    );
  });

  test("has very many variables", { timeout: SECONDS * 1000 }, () => {
    const entries = readEnvFile("A=1\n\n".repeat(150_000), new Map(), false);
    expect(entries.at(-1)?.line).toBe(299_999);
  });
});
