import { describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { mergePolicy } from "../../../lib/tailnet/policy-document.ts";
import { driftOf } from "../../../verify/drift.ts";
import { startApi } from "./api-server.ts";

const BASE =
  '// mine\n{\n  "grants": [\n    { "src": ["a@x.org"], "dst": ["autogroup:self"], "ip": ["*"] },\n  ],\n}\n';
const grant = (ip: string) => ({ src: ["tag:stalwart"], dst: ["tag:mail"], ip: [ip] });
const merged = (ip = "tcp:587", base = BASE) =>
  mergePolicy(base, { grants: [grant(ip)], tagOwners: { "tag:mail": [] } });
/** What a passed look leaves for the next one. */
const after = (desired: string, live = BASE) => driftOf(live, desired, "").record;
const CLEAN = { foreign: "", own: "" };

describe("nobody has changed the policy by hand", () => {
  test("before the first deploy, when it has no entries of tailwart yet", () => {
    expect(driftOf(BASE, merged(), "")).toMatchObject(CLEAN);
  });

  test("when it is as the last deploy left it, whatever is to be deployed now", () => {
    const newBase = BASE.replace("a@x.org", "b@x.org");
    expect(driftOf(merged(), merged("tcp:25", newBase), after(merged()))).toMatchObject(CLEAN);
  });

  test("when the last deploy failed before it wrote, and something else is deployed now", () => {
    const second = driftOf(merged(), merged("tcp:25"), after(merged()));
    expect(driftOf(merged(), merged("tcp:26"), second.record)).toMatchObject(CLEAN);
  });

  test("when the edit was taken into the file, so that it is what is to be deployed", () => {
    const edited = BASE.replace("a@x.org", "b@x.org");
    expect(driftOf(merged("tcp:587", edited), merged("tcp:25", edited), after(merged()))).toMatchObject(
      CLEAN,
    );
  });

  test("when tailwart's entries were taken out whole: nothing of anybody's is lost by putting them back", () => {
    expect(driftOf(BASE, merged("tcp:25"), after(merged()))).toMatchObject(CLEAN);
  });
});

describe("a hand edit is found and shown", () => {
  test("in the user's own entries", () => {
    const { foreign, own } = driftOf(merged().replace("a@x.org", "b@x.org"), merged(), after(merged()));
    expect(foreign).toMatch(/^- .*b@x\.org.*\n\+ .*a@x\.org/m);
    expect(own).toBe("");
  });

  test("inside of tailwart's entries", () => {
    const { foreign, own } = driftOf(merged().replace("tcp:587", "*"), merged(), after(merged()));
    expect(own).toMatch(/^- .*"ip": \["\*"\].*\n\+ .*tcp:587/m);
    expect(foreign).toBe("");
  });

  test("inside of tailwart's entries on the first deploy, such as those of another stack", () => {
    expect(driftOf(merged("tcp:26"), merged(), "").own).not.toBe("");
  });
});

test("the record is fingerprints: no text of the policy is in it", () => {
  expect(after(merged())).toMatch(
    /^seen: foreign=[0-9a-f]{64} own=[0-9a-f]{64}; deployed: foreign=[0-9a-f]{64} own=[0-9a-f]{64}$/,
  );
});

describe("node verify/policy.ts drift", () => {
  async function look(live: string, before: string) {
    const api = await startApi({ "GET /api/v2/tailnet/-/acl": { body: live } });
    const env = {
      ...process.env,
      TAILSCALE_BASE_URL: api.url,
      TAILSCALE_API_KEY: "k",
      PULUMI_COMMAND_STDOUT: before,
    };
    const order = { desired: merged(), policyFile: "tailnet.base.hujson", tests: [] };
    const stdin = JSON.stringify(order);
    const run = await runCommand(process.execPath, ["verify/policy.ts", "drift"], {
      stdin,
      env,
      deadline: 15_000,
    });
    await api.close();
    return run;
  }

  test("takes its own last output as the record, and refuses both kinds of hand edit with what to do", async () => {
    const first = await look(BASE, "");
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(await look(merged(), first.stdout)).toMatchObject({ status: 0 });

    const foreign = await look(merged().replace("a@x.org", "b@x.org"), first.stdout);
    expect(foreign).toMatchObject({ status: 1, stdout: "" });
    expect(foreign.stderr).toMatch(/outside of tailwart's entries:[^]*b@x\.org[^]*deploy again/);

    const own = await look(merged().replace("tcp:587", "*"), first.stdout);
    expect(own).toMatchObject({ status: 1, stdout: "" });
    expect(own.stderr).toMatch(/changed tailwart's own entries[^]*"\*"[^]*deploy again/);
    expect(own.stderr).not.toMatch(/^ +at /m);
  });
});
