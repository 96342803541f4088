import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { allPolicies } from "../../../policies/rules/index.ts";
import { runOf, wrongIn } from "../cli/review/sarif-spec.ts";
import { checkFolder, folderOf } from "./folder.ts";

const PINNED = `db@sha256:${"0".repeat(64)}`;
const NODE = "100.101.102.103";
const compose = (...lines: string[]) =>
  `services:\n  db:\n    image: ${PINNED}\n    environment:\n${["X: y", ...lines].map((line) => `      ${line}\n`).join("")}`;
const run = (folder: string, ...args: string[]) => check(args, folder, "1.2.3");

describe("the exit code", () => {
  test.each([
    ["0 where nothing is wrong", { "compose.yml": compose() }, [], 0],
    ["1 where something is refused", { "compose.yml": compose(`A: ${NODE}`) }, [], 1],
    ["1 where a file cannot be read", { "compose.yml": "services: [" }, [], 1],
    ["1 where a path is not there", {}, ["gone"], 1],
    ["1 where there is nothing to judge", {}, [], 1],
    ["2 for an option that does not exist", {}, ["--wrong"], 2],
    ["2 for two forms at once", {}, ["--json", "--sarif"], 2],
    ["2 for a baseline to write without a name", {}, ["--write-baseline"], 2],
    ["0 for --help", {}, ["--help"], 0],
  ])("is %s", async (_, files, args, code) => {
    const { exitCode, stdout, stderr } = await run(folderOf(files), ...args);
    expect(exitCode).toBe(code);
    expect(stdout + stderr).not.toBe("");
  });

  test("is 0 where the policy is only an advice, and where it is turned off", async () => {
    const folder = folderOf({
      "compose.yml": compose(`A: ${NODE}`),
      "advice.json": '{"no-hardcoded-tailnet-ip": "advisory"}',
      "off.json": '{"no-hardcoded-tailnet-ip": {"enforcementLevel": "disabled"}}',
    });
    const advice = await checkFolder(folder, "--policy-config", "advice.json", "compose.yml");
    expect([advice.exitCode, advice.findings.map(({ level }) => level)]).toEqual([0, ["warning"]]);
    const off = await checkFolder(folder, "--policy-config", "off.json", "compose.yml");
    expect([off.exitCode, off.findings]).toEqual([0, []]);
  });

  test("is 1, in words, for a policy config that is wrong", async () => {
    const folder = folderOf({ "compose.yml": compose(), "wrong.json": '{"no-such-policy": "advisory"}' });
    const { exitCode, stderr } = await run(folder, "--policy-config", "wrong.json");
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("no-such-policy is no policy of this pack"),
    ]);
  });
});

describe("the text", () => {
  test("begins with file and line, says what, why and how to mend it, and ends with the sum", async () => {
    const { stdout } = await run(folderOf({ "compose.yml": compose(`A: ${NODE}`) }));
    expect(stdout).toMatch(/^compose\.yml:6: error \[high\] no-hardcoded-tailnet-ip \(lesson 6\)\n/);
    expect(stdout).toContain(`services.db.environment.A holds ${NODE}, the address of one tailnet node.`);
    expect(stdout).toMatch(/\n {2}why: .*\n[^]*\n {2}fix: .*/);
    expect(stdout).toMatch(/\n1 error(?:, \d+ not judged)? in 1 file\n$/);
  });

  test("lists the variables without a value in one line a file", async () => {
    const { stdout } = await run(folderOf({ "compose.yml": compose("A: $ONE", "B: $TWO") }));
    expect(stdout).toContain("compose.yml:6: without a value here: ONE (line 6), TWO (line 7)");
  });

  test("puts together what cannot be known for the same reason", async () => {
    const text = "services:\n  a:\n    image: $A\n  b:\n    image: $A\n";
    const { stdout } = await run(folderOf({ "compose.yml": text }));
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "compose.yml:3: services.a.image (line 3), services.b.image (line 5): ${A} has no value here (image-pinned-by-digest)",
    );
  });

  test("names places of a compose file as the file does, and advises in its words", async () => {
    const text =
      "services:\n  db:\n    image: db\n    environment: { DB_PASSWORD: kR7w0qZ2mXcT }\n    network_mode: host\n";
    const { stdout } = await run(folderOf({ "compose.yml": text }));
    expect(stdout).toContain("services.db.environment.DB_PASSWORD");
    expect(stdout).not.toMatch(/envs|networkMode|pulumi config|docker\.RemoteImage|kR7w0qZ2mXcT/);
  });
});

describe("a baseline", () => {
  const FIRST = compose(`A: ${NODE}`);

  test("lets pass what it knows, at whatever line that is now, and fails for what is new", async () => {
    const folder = folderOf({ "compose.yml": FIRST });
    expect((await run(folder, "--baseline", "known.json", "--write-baseline")).exitCode).toBe(0);
    const moved = folderOf({
      "compose.yml": `# a line more\n${FIRST}`,
      "known.json": readFileSync(join(folder, "known.json"), "utf8"),
    });
    const same = await checkFolder(moved, "--baseline", "known.json");
    expect([same.exitCode, same.findings.map(({ known }) => known)]).toEqual([0, [true]]);

    const more = folderOf({
      "compose.yml": compose(`A: ${NODE}`, "B: 100.101.102.104"),
      "known.json": readFileSync(join(folder, "known.json"), "utf8"),
    });
    const result = await checkFolder(more, "--baseline", "known.json");
    expect([result.exitCode, result.findings.map(({ known }) => known)]).toEqual([1, [true, false]]);
  });

  test("knows as many of the same as it has, and one more is new", async () => {
    const ports = (...list: string[]) =>
      `services:\n  db:\n    image: ${PINNED}\n    devices: [${list.map((one) => `'${one}'`).join(", ")}]\n`;
    const folder = folderOf({ "compose.yml": ports("/dev/a", "/dev/b") });
    await run(folder, "--baseline", "known.json", "--write-baseline");
    const known = JSON.parse(readFileSync(join(folder, "known.json"), "utf8")) as { findings: unknown[] };
    expect(known.findings.length).toBeGreaterThan(0);
    expect((await run(folder, "--baseline", "known.json")).exitCode).toBe(0);
  });

  test("says how much of it is mended", async () => {
    const folder = folderOf({ "compose.yml": FIRST });
    await run(folder, "--baseline", "known.json", "--write-baseline");
    const mended = folderOf({
      "compose.yml": compose(),
      "known.json": readFileSync(join(folder, "known.json"), "utf8"),
    });
    const { stdout, exitCode } = await run(mended, "--baseline", "known.json");
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("1 of the baseline mended")]);
  });

  test.each([
    ["is not there", {}, "there is no baseline"],
    ["is no JSON", { "known.json": "{" }, "is no baseline"],
    ["is another file", { "known.json": "{}" }, "has no list of findings"],
  ])("that %s is a mistake in words", async (_, files, words) => {
    const { exitCode, stderr } = await run(
      folderOf({ ...files, "compose.yml": FIRST }),
      "--baseline",
      "known.json",
    );
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(words)]);
  });
});

describe("an exception", () => {
  const exception = (expires: string, where = "*") =>
    JSON.stringify({
      exceptions: [
        {
          policy: "no-hardcoded-tailnet-ip",
          urn: "*::docker:index/container:Container::db",
          where,
          reason: "the node is never registered anew",
          expires,
        },
      ],
    });

  test("lets a finding pass until its day, by the place that the check tells", async () => {
    const folder = folderOf({
      "compose.yml": compose(`A: ${NODE}`),
      "policy-exceptions.jsonc": exception("2999-01-01", "services.db.environment.A"),
    });
    const { stdout, exitCode } = await run(folder);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("excepted until 2999-01-01")]);
  });

  test("that has passed its day fails the check", async () => {
    const folder = folderOf({ "compose.yml": compose(), "policy-exceptions.jsonc": exception("2020-01-01") });
    const { stdout, exitCode } = await run(folder);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/expired on\s+2020-01-01/)]);
  });
});

describe("SARIF", () => {
  const LESSONS = join(import.meta.dirname, "../../fixtures/check/lessons");
  const sarif = async (folder: string, ...args: string[]) =>
    JSON.parse((await run(folder, "--sarif", ...args)).stdout) as object;

  test("is what SARIF 2.1.0 and GitHub require, with every rule", async () => {
    const log = await sarif(LESSONS);
    expect(wrongIn(log)).toEqual([]);
    expect(runOf(log).tool.driver.rules.map(({ id }) => id)).toEqual(allPolicies.map(({ id }) => id));
  });

  test("points at file and line, and tells findings apart without the line", async () => {
    const folder = folderOf({ "a/compose.yml": compose(`A: ${NODE}`) });
    const [result] = runOf(await sarif(folder)).results;
    expect(result).toMatchObject({
      ruleId: "no-hardcoded-tailnet-ip",
      level: "error",
      locations: [
        { physicalLocation: { artifactLocation: { uri: "a/compose.yml" }, region: { startLine: 6 } } },
      ],
    });
    const moved = runOf(await sarif(folderOf({ "a/compose.yml": `\n\n${compose(`A: ${NODE}`)}` })))
      .results[0];
    expect(moved?.partialFingerprints).toEqual(result?.partialFingerprints);
  });

  test("says what the baseline knows, and what is excepted", async () => {
    const folder = folderOf({ "compose.yml": compose(`A: ${NODE}`) });
    await run(folder, "--baseline", "known.json", "--write-baseline");
    const [result] = runOf(await sarif(folder, "--baseline", "known.json")).results;
    expect(result).toMatchObject({ baselineState: "unchanged" });
  });

  test("tells a file that cannot be read as an error of the tool", async () => {
    const log = await sarif(folderOf({ "compose.yml": "services: [" }));
    expect(wrongIn(log)).toEqual([]);
    expect(runOf(log).invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [
        { message: { text: expect.stringMatching(/^compose\.yml:\d+: no YAML/) } },
      ],
    });
  });
});
