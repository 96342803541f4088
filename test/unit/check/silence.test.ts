import { describe, expect, test } from "vitest";

import { checkFiles, placesOf } from "./folder.ts";

const NODE = "100.101.102.103";

describe("a compose file", () => {
  test.each([
    ["with quotes", `"services":\n  "db":\n    "image": db\n    environment: [A=${NODE}]\n`, 4],
    ["in braces", `# one line\n{services: {db: {image: db, environment: [A=${NODE}]}}}\n`, 2],
    ["as JSON", `{\n  "services": {"db": {"image": "db", "environment": ["A=${NODE}"]}}\n}\n`, 2],
  ])("%s is judged", async (_, text, line) => {
    const result = await checkFiles({ "compose.yml": text });
    expect(placesOf(result, "no-hardcoded-tailnet-ip")).toEqual([`compose.yml:${line}`]);
  });
});

describe("a file that cannot be read is a problem", () => {
  const LARGE = `services: {}\n${"#".repeat(1_100_000)}`;
  const good = { "a/compose.yml": "services: {}\n" };
  test.each([
    ["where it is called as a compose file, and too large", "compose.yml", LARGE, []],
    ["where it is called as a compose file, and no text", "compose.yml", "services:\0", []],
    ["where it is a Caddyfile, and no text", "Caddyfile", ":80 \0", []],
    ["where the user names it", "what.toml", "a\0b", ["a", "what.toml"]],
  ])("%s", async (_, file, text, args) => {
    const { exitCode, problems } = await checkFiles({ ...good, [file]: text }, ...args);
    const message = expect.stringContaining("cannot be read") as string;
    expect([exitCode, problems]).toEqual([1, [{ file, line: 1, message }]]);
  });
});
