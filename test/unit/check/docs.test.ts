import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { USAGE } from "../../../policies/check/command.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = readFileSync(join(ROOT, "policies/README.md"), "utf8");
const LESSONS = join(ROOT, "test/fixtures/check/lessons");
const [, SECTION = ""] = /^## Check files without Pulumi\n([^]*?)^## /m.exec(PAGE) ?? [];

/** Every command of the page's section on the check, in order. */
const COMMANDS = [...SECTION.matchAll(/^npx tailwart-policies (check.*)$/gm)].map(
  ([, command = ""]) => command,
);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "check-docs-"));
  cpSync(LESSONS, folder, { recursive: true });
  cpSync(join(LESSONS, "policy.hujson"), join(folder, "tailnet/policy.hujson"));
  const state = { version: 3, deployment: { resources: [] } };
  execFileSync(
    process.execPath,
    ["-e", `fs.writeFileSync("prod.json", ${JSON.stringify(JSON.stringify(state))})`],
    {
      cwd: folder,
    },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string) =>
  spawnSync("sh", ["-c", `"${process.execPath}" "${join(ROOT, "policies/tailwart-policies")}" ${command}`], {
    cwd: folder,
    encoding: "utf8",
  });

describe("the page on the check", () => {
  test("has commands", () => expect(COMMANDS.length).toBeGreaterThanOrEqual(6));

  test.each(COMMANDS)("`%s` does what it says", (command) => {
    const { status, stderr, stdout } = run(command);
    expect(stderr).toBe("");
    const passes = command.includes("--baseline") || command.includes("prod.json");
    expect(status, stdout).toBe(passes ? 0 : 1);
    const [, written] = />\s*(\S+)$/.exec(command) ?? [];
    if (written) expect(() => void JSON.parse(readFileSync(join(folder, written), "utf8"))).not.toThrow();
  });

  test("shows what the check prints", () => {
    const [, sample = ""] = /```text\n([^]*?)```/.exec(SECTION) ?? [];
    expect(run("check").stdout).toContain(sample.trim());
  });

  test("names every option, as the usage does", () => {
    const options = [...USAGE.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option ?? "");
    for (const option of options.filter((one) => one !== "--help")) expect(SECTION).toContain(option);
  });

  test("is in the package, and the command too", () => {
    const { files, bin } = JSON.parse(readFileSync(join(ROOT, "policies/package.json"), "utf8")) as {
      files: string[];
      bin: string;
    };
    expect(files).toContain(bin);
    expect(existsSync(join(dirname(join(ROOT, "policies/package.json")), bin))).toBe(true);
  });
});

test("a usual repository is judged in less than a second, the start of Node included", () => {
  // Of the processor's time: a machine that tests run on has others to serve.
  const tellsTime = `process.on("exit", () => { const { user, system } = process.cpuUsage(); console.error(user + system); })`;
  const times = [1, 2, 3].map(() => {
    const pack = join(ROOT, "policies/tailwart-policies");
    const args = ["--import", `data:text/javascript,${encodeURIComponent(tellsTime)}`, pack, "check"];
    return Number(spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" }).stderr) / 1000;
  });
  expect(Math.min(...times)).toBeGreaterThan(0);
  expect(Math.min(...times)).toBeLessThan(1000);
});
