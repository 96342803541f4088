import { describe, expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { folderOf } from "./folder.ts";

const SECRET = "kR7w0q";
const sealed = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: SECRET,
};
const state = JSON.stringify({
  version: 3,
  deployment: {
    resources: [{ urn: "urn:pulumi:a::b::c:d:E::f", type: "c:d:E", inputs: { password: sealed } }],
  },
});

describe("what is no JSON is not quoted, since it may be a secret", () => {
  test.each([
    ["a plan", { "plan.ndjson": `{"@type":"update","object":"A","value":{}}\n${SECRET}\n` }, [], 1],
    ["a secret of a state", { "state.json": state }, [], 0],
    [
      "a policy config",
      { "compose.yml": "services: {}", "x.json": SECRET },
      ["--policy-config", "x.json"],
      1,
    ],
    ["a baseline", { "compose.yml": "services: {}", "x.json": SECRET }, ["--baseline", "x.json"], 1],
  ])("in %s", async (_, files, args, code) => {
    const { stdout, stderr, exitCode } = await check(args, folderOf(files), "1.2.3");
    expect(stdout + stderr).not.toContain(SECRET);
    expect(exitCode).toBe(code);
  });
});
