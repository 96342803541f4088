import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProject, type Project } from "./tools-project.ts";

/** What the commands below wrote, one line a run. */
const journal = (project: Project): string[] =>
  readFileSync(join(project.dir, "journal"), "utf8").trimEnd().split("\n");

describe("command:local:Command through the real engine", () => {
  let project: Project;
  const program = (args: object): string => `
    const { Command } = require("@pulumi/command/local/command.js");
    const command = new Command("one", ${JSON.stringify({ dir: project.dir, ...args })});
    exports.stdout = command.stdout;
    exports.stderr = command.stderr;`;
  const commands = {
    create: "echo create $MARK >> journal; echo made; echo noise >&2",
    update: 'echo "update $MARK saw:$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR" >> journal; echo changed',
    delete: 'echo "delete $MARK saw:$PULUMI_COMMAND_STDOUT" >> journal',
  };

  beforeAll(async () => {
    project = await makeProject();
  });
  afterAll(() => project.remove());

  test("create runs once and its outputs come back without the last newline", async () => {
    await project.up(program({ ...commands, environment: { MARK: "a" }, triggers: [1] }));
    expect(journal(project)).toEqual(["create a"]);
    expect(await project.outputs()).toMatchObject({ stdout: "made", stderr: "noise" });
  });

  test("the same program again changes nothing", async () => {
    await project.up(program({ ...commands, environment: { MARK: "a" }, triggers: [1] }));
    const { code, output } = await project.pulumi("preview", "--stack", "test", "--expect-no-changes");
    expect(code, output).toBe(0);
    expect(journal(project)).toEqual(["create a"]);
  });

  test("a preview of a change runs nothing", async () => {
    project.write(program({ ...commands, environment: { MARK: "b" }, triggers: [1] }));
    const { output } = await project.pulumi("preview", "--stack", "test");
    expect(output).toContain("1 to update");
    expect(journal(project)).toEqual(["create a"]);
  });

  test("a changed input runs update, which sees the outputs of the last run", async () => {
    await project.up(program({ ...commands, environment: { MARK: "b" }, triggers: [1] }));
    expect(journal(project).at(-1)).toBe("update b saw:made/noise");
    expect(await project.outputs()).toMatchObject({ stdout: "changed", stderr: "" });
  });

  test("a changed trigger replaces: create anew, then delete with the old environment", async () => {
    await project.up(program({ ...commands, environment: { MARK: "c" }, triggers: [2] }));
    expect(journal(project).slice(-2)).toEqual(["create c", "delete b saw:changed"]);
  });

  test("without an update command a changed input runs create", async () => {
    await project.up(program({ ...commands, update: undefined, environment: { MARK: "d" }, triggers: [2] }));
    expect(journal(project).at(-1)).toBe("create d");
  });

  test("addPreviousOutputInEnv: false hides the outputs of the last run", async () => {
    const update = 'echo "update saw:$PULUMI_COMMAND_STDOUT" >> journal';
    const args = {
      ...commands,
      update,
      environment: { MARK: "e" },
      triggers: [2],
      addPreviousOutputInEnv: false,
    };
    await project.up(program(args));
    expect(journal(project).at(-1)).toBe("update saw:");
  });

  test("interpreter and stdin are used", async () => {
    const args = {
      create: "import sys; print(sys.stdin.read().upper())",
      interpreter: ["python3", "-c"],
      stdin: "abc",
    };
    await project.up(program({ ...args, triggers: [3] }));
    expect(await project.outputs()).toMatchObject({ stdout: "ABC" });
  });

  test("a failing command fails the update and its message holds what the command wrote", async () => {
    project.write(
      program({ create: "echo before; echo the reason >&2; exit 3", logging: "none", triggers: [4] }),
    );
    const { code, output } = await project.pulumi("up", "--yes", "--stack", "test");
    expect(code).not.toBe(0);
    // stdout and stderr are two pipes: either may arrive first.
    expect(output).toMatch(
      /exit status 3: running "echo before; [^]*:\n\s*(?:before\s+the reason|the reason\s+before)\n/,
    );
  });

  test("logging: none keeps the outputs out of the log, the default shows them", async () => {
    const unexported = (args: object): string => program(args).replaceAll(/exports.*/g, "");
    const loud = await project.up(unexported({ create: "echo sho''uted", triggers: [5] }));
    expect(loud.output).toContain("shouted");
    const quiet = await project.up(
      unexported({ create: "echo whi''spered", logging: "none", triggers: [6] }),
    );
    expect(quiet.output).not.toContain("whispered");
    expect(project.state()).toContain("whispered");
  });

  test("an unknown value of logging is refused with the accepted ones", async () => {
    project.write(program({ create: "true", logging: "loud" }));
    const { code, output } = await project.pulumi("preview", "--stack", "test");
    expect(code).not.toBe(0);
    expect(output).toContain('"loud" is not one of stdout, stderr, stdoutAndStderr, none');
  });

  test("a secret input stays secret in what the command writes, and only there", async () => {
    await project.up(`
      const { Command } = require("@pulumi/command/local/command.js");
      const command = new Command("secret", {
        create: "echo pass:$WORD", environment: { WORD: pulumi.secret("hunter2") }, logging: "none",
      });
      exports.stdout = command.stdout;
      exports.create = command.create;`);
    expect(await project.outputs()).toMatchObject({ stdout: "pass:hunter2", create: "echo pass:$WORD" });
    expect(project.state()).not.toContain("hunter2");
    expect(project.state()).toContain("echo pass:$WORD");
  });
});

describe("random:index:RandomPassword through the real engine", () => {
  let project: Project;
  const program = (args: object): string => `
    const { RandomPassword } = require("@pulumi/random/randomPassword.js");
    const password = new RandomPassword("password", ${JSON.stringify(args)});
    exports.result = password.result;
    exports.bcryptHash = password.bcryptHash;`;

  beforeAll(async () => {
    project = await makeProject();
  });
  afterAll(() => project.remove());

  test("the result has the wanted length and alphabet, comes with a bcrypt hash, and is secret", async () => {
    await project.up(program({ length: 24, special: false }));
    const { result, bcryptHash } = (await project.outputs()) as { result: string; bcryptHash: string };
    expect(result).toMatch(/^[A-Za-z0-9]{24}$/);
    expect(bcryptHash).toMatch(/^\$2[aby]\$10\$[./A-Za-z0-9]{53}$/);
    expect(project.state()).not.toContain(result);
    expect(project.state()).not.toContain(bcryptHash);
  });

  test("it stays the same over a second update and a refresh", async () => {
    const before = await project.outputs();
    await project.up(program({ length: 24, special: false }));
    const { code, output } = await project.pulumi(
      "up",
      "--yes",
      "--stack",
      "test",
      "--refresh",
      "--expect-no-changes",
    );
    expect(code, output).toBe(0);
    expect(await project.outputs()).toEqual(before);
  });

  test("a changed keeper makes a new one", async () => {
    const before = await project.outputs();
    await project.up(program({ length: 24, special: false, keepers: { generation: "2" } }));
    expect((await project.outputs())["result"]).not.toBe(before["result"]);
  });
});
