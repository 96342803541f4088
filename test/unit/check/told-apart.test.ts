import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { checkFolder, folderOf, placesOf } from "./folder.ts";

const secrets = (...names: string[]) =>
  `services:\n  db:\n    image: db\n    environment: { ${names.map((name) => `${name}: kR7w0qZ2mXcT`).join(", ")} }\n`;

describe("two secrets on one line", () => {
  test("are two findings", async () => {
    const result = await checkFolder(folderOf({ "compose.yml": secrets("DB_PASSWORD", "API_PASSWORD") }));
    expect(placesOf(result, "secrets-not-in-plain-sight")).toEqual(["compose.yml:4", "compose.yml:4"]);
  });

  test("are not both known where the baseline has one", async () => {
    const folder = folderOf({ "compose.yml": secrets("DB_PASSWORD") });
    await check(["--baseline", "known.json", "--write-baseline"], folder, "0.0.0");
    writeFileSync(join(folder, "compose.yml"), secrets("DB_PASSWORD", "API_PASSWORD"));
    const { exitCode, findings } = await checkFolder(folder, "--baseline", "known.json");
    const fresh = findings.filter(({ known }) => !known).map(({ where }) => where);
    expect([exitCode, fresh]).toEqual([1, ["services.db.environment.API_PASSWORD"]]);
    expect(readFileSync(join(folder, "known.json"), "utf8")).toContain("DB_PASSWORD");
  });
});
