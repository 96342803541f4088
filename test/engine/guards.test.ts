import { join } from "node:path";

import { expect, test } from "vitest";

import { runCommand } from "../../lib/run-command.ts";
import { PREVENTING, REFUSING } from "../guards/cuts.ts";

/** In a process of its own, since it starts vitest. */
const cutOut = (...words: string[]) =>
  runCommand(process.execPath, [join(import.meta.dirname, "../guards/cli.ts"), ...words], {
    deadline: 1_800_000,
    wholeGroup: true,
  });

/** CI cuts one lesson's guards out: code that prevents it, and its policy. */
const ONE = 15;
const isFull = Boolean(process.env["TAILWART_FULL"]);

test("a guard that is cut out of the code turns a test red, and the command names it", async () => {
  const { status, stdout, stderr } = await cutOut(...(isFull ? [] : [String(ONE)]));
  expect(status, stdout + stderr).toBe(0);
  const cuts = [...PREVENTING, ...REFUSING].filter(({ lesson }) => isFull || lesson === ONE);
  const told = stdout.split("\n").filter((line) => line.startsWith("lesson "));
  expect(told).toHaveLength(cuts.length);
  for (const line of told) expect(line).toMatch(/ cut from \S.* · noticed by test\/\S+: "/);
}, 1_800_000);

test("a word that is no lesson's number is refused before anything runs", async () => {
  const { status, stderr } = await cutOut("none");
  expect(stderr).toContain("there is no lesson none");
  expect(status).toBe(2);
});
