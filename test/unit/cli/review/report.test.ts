import { describe, expect, test } from "vitest";

import { auditCode, auditReport } from "../../../../cli/review/audit-report.ts";
import { parseEvents } from "../../../../cli/review/events.ts";
import { reportOf } from "../../../../cli/review/model.ts";
import { EMPTY, eventsOf, recorded, textOf } from "./fixtures.ts";

describe("a review's report", () => {
  test("holds each violation with its path, why and fix, as the engine told it", () => {
    const { violations, result } = recorded("violations");
    expect(result).toBe("failed");
    expect(violations).toEqual([
      {
        policy: "no-hardcoded-tailnet-ip",
        urn: "urn:pulumi:raw::raw::docker:index/container:Container::app",
        level: "mandatory",
        severity: "high",
        where: "envs (URL)",
        what: "holds 100.101.102.103, the address of one tailnet node",
        why: expect.stringMatching(/^a node's tailnet address changes when it registers again/),
        lesson: 6,
        url: "https://tailscale.com/kb/1081/magicdns",
        instead: expect.stringMatching(/^the node's MagicDNS name/),
      },
    ]);
  });

  test("holds exceptions apart, with reason and end, and what the pack tells of them", () => {
    const { exceptions, notes } = recorded("violations");
    expect(exceptions).toEqual([
      {
        until: "2027-01-31",
        reason: "moved to MagicDNS with the next release",
        violation: expect.objectContaining({
          policy: "no-hardcoded-tailnet-ip",
          urn: expect.stringMatching(/::web$/) as string,
          where: "envs (DB_HOST)",
        }),
      },
    ]);
    expect(notes).toHaveLength(2);
    expect(notes[1]).toContain("exceptions[1]: image-pinned-by-digest");
  });

  test("holds what could not be judged, each path once", () => {
    const { notJudged } = recorded("violations");
    expect(notJudged.map(({ policy, where, because }) => [policy, where, because])).toEqual([
      ["no-hardcoded-tailnet-ip", "envs[0]", "unknown until the update"],
      ["relay-target-ipv4-only", "envs[0]", "unknown until the update"],
    ]);
    const twice = reportOf([...eventsOf("violations"), ...eventsOf("violations")], {
      kind: "review",
      stack: "raw",
      code: 1,
    });
    expect(twice.notJudged).toEqual(notJudged);
    expect(twice.violations).toHaveLength(1);
  });

  test("leaves out the engine's last word, which tells nothing beside a violation", () => {
    expect(recorded("violations").problems).toEqual([]);
  });

  test("of a refused config holds the program's own words, and no violation", () => {
    const { problems, violations } = recorded("refused");
    expect(violations).toEqual([]);
    expect(problems).toEqual([
      {
        severity: "error",
        message: expect.stringMatching(
          /tailwart:mailHost accepts a DNS name of two labels or more\n +for example: example\.org/,
        ),
      },
    ]);
  });

  test("of an engine that ended before its first event holds what it printed", () => {
    const report = reportOf([], {
      kind: "review",
      stack: "prod",
      code: 255,
      stderr: "error: incorrect passphrase\n",
    });
    expect(report.problems).toEqual([{ severity: "error", message: "incorrect passphrase" }]);
    expect(report.result).toBe("failed");
  });

  test("of one that said nothing at all says its exit code", () => {
    expect(reportOf([], { kind: "review", stack: "prod", code: 137 }).problems[0]?.message).toContain("137");
  });

  test("names files as they lie in the repository, not on the machine that it was made on", () => {
    const events = [
      {
        diagnosticEvent: {
          severity: "error",
          message: "at /home/runner/work/mail/config/component-args.ts:3",
        },
      },
    ];
    const report = reportOf(events, {
      kind: "review",
      stack: "prod",
      code: 1,
      folders: ["/home/runner/work/mail"],
    });
    expect(report.problems[0]?.message).toBe("at config/component-args.ts:3");
  });

  test("counts a replacement as one, and what stays", () => {
    const { counts, downtime } = recorded("replaced");
    expect(counts).toMatchObject({ replace: 6, same: 26 });
    expect(downtime.map(({ name }) => name)).toEqual([
      "mail-stalwart-server",
      "edge-caddy",
      "edge-reload",
      "mail-stalwart-files",
    ]);
  });

  test("passes over what is no event, such as a line that was cut off", () => {
    const cut = textOf("violations").slice(0, -40);
    expect(parseEvents(`warning: a plugin\n${cut}`).length).toBe(eventsOf("violations").length - 1);
  });
});

const run = (events = eventsOf("drift"), code = 0, stderr = "") => ({ events, code, stderr, stdout: "" });
const CLEAN = run([]);
const DRIFT = run(
  eventsOf("drift"),
  7,
  "error: no changes were expected for refresh but changes were proposed",
);
const VIOLATED = run(
  eventsOf("violations").filter(({ policyEvent }) => policyEvent),
  1,
  "error: one or more mandatory policy violations were found",
);

describe("an audit's report and exit code", () => {
  test("nothing wrong and nothing changed: 0", () => {
    const report = auditReport("prod", CLEAN, CLEAN);
    expect(report).toMatchObject({ result: "succeeded", drift: [], problems: [] });
    expect(auditCode(report)).toBe(0);
  });

  test("drift alone: 3, and the refresh's own error is not one of the audit", () => {
    const report = auditReport("prod", CLEAN, DRIFT);
    expect(report.problems).toEqual([]);
    expect(report.drift).toHaveLength(1);
    expect(auditCode(report)).toBe(3);
  });

  test("a violation: 1, with drift or without", () => {
    expect(auditCode(auditReport("prod", VIOLATED, CLEAN))).toBe(1);
    expect(auditCode(auditReport("prod", VIOLATED, DRIFT))).toBe(1);
    expect(auditReport("prod", VIOLATED, DRIFT).problems).toEqual([]);
  });

  test("an advisory finding is a finding, too: 1; what could not be judged is none: 0", () => {
    const [violation] = recorded("violations").violations;
    const advisory = { ...(violation as NonNullable<typeof violation>), level: "advisory" };
    expect(auditCode({ ...EMPTY, kind: "audit", violations: [advisory] })).toBe(1);
    const gap = { policy: "p", urn: "", where: "envs", because: "unknown" };
    expect(auditCode({ ...EMPTY, kind: "audit", notJudged: [gap] })).toBe(0);
  });

  test("hosts that could not be asked: 1, and nothing is said of drift", () => {
    const report = auditReport(
      "prod",
      CLEAN,
      run([], 255, "error: ssh: connect to host kvm port 22: timed out"),
    );
    expect(report.problems[0]?.message).toContain("timed out");
    expect(report.drift).toBeUndefined();
    expect(report.result).toBe("failed");
    expect(auditCode(report)).toBe(1);
  });

  test("from a file no host is asked, and nothing is said of drift", () => {
    expect(auditReport("state.json", CLEAN).drift).toBeUndefined();
  });
});
