import { expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";

test("a command's status, output and input are its own, and no shell reads its arguments", async () => {
  const echo = ["-c", 'cat; printf "%s" "$1" >&2; exit 3', "sh", "$(id) *"];
  expect(await runCommand("sh", echo, { stdin: "größer", deadline: 5000 })).toEqual({
    status: 3,
    stdout: "größer",
    stderr: "$(id) *",
  });
});

test("a command that does not read its input is no failure", async () => {
  const big = "x".repeat(1_000_000);
  expect((await runCommand("true", [], { stdin: big, deadline: 5000 })).status).toBe(0);
});

test("a character that comes in two pieces stays whole", async () => {
  const halves =
    "process.stdout.write(Buffer.from([0xc3])); setTimeout(() => process.stdout.write(Buffer.from([0xa4])), 50)";
  expect((await runCommand(process.execPath, ["-e", halves], { deadline: 5000 })).stdout).toBe("ä");
});

test("a command that hangs is killed at its deadline, and one that is missing says so", async () => {
  const start = Date.now();
  expect((await runCommand("sleep", ["30"], { deadline: 300 })).status).toBe(124);
  expect(Date.now() - start).toBeLessThan(5000);
  expect(await runCommand("no-such-command", [], { deadline: 1000 })).toMatchObject({
    status: 127,
    stderr: expect.stringContaining("no-such-command"),
  });
});

test("a whole group is ended at the deadline: else its other processes would keep the output open", async () => {
  const start = Date.now();
  const result = await runCommand("sh", ["-c", "sleep 30 & wait"], { deadline: 300, wholeGroup: true });
  expect(result).toMatchObject({ status: 124, endedBy: "SIGKILL" });
  expect(Date.now() - start).toBeLessThan(5000);
});
