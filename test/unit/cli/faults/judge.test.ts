import { describe, expect, test } from "vitest";

import { complaints, type Found, judge, timesOf } from "../../../../cli/faults/judge.ts";
import type { Attempt } from "../../../../lab/mail/ledger.ts";

const attempt = (id: string, more: Partial<Attempt> = {}): Attempt => ({
  id,
  way: "in",
  attempt: 1,
  from: "203.0.113.160",
  began: 1000,
  ended: 1100,
  stage: "body",
  code: 250,
  text: "250 queued",
  ...more,
});
/** No reply. */
const cut = (id: string, more: Partial<Attempt> = {}): Attempt => {
  const { code, text, ...rest } = attempt(id, more);
  return { ...rest, error: `the connection was closed instead of ${code} ${text}` };
};
const found = ({
  mailbox = {},
  smarthost = {},
  queue = [] as string[],
  bounced = [] as string[],
} = {}): Found => ({
  mailbox: new Map(Object.entries(mailbox)),
  smarthost: new Map(Object.entries(smarthost)),
  queue: new Set(queue),
  bounced: new Set(bounced),
});
const wrong = (ledger: Attempt[], where: Found, may: Parameters<typeof complaints>[1] = {}) =>
  complaints(judge(ledger, where), may).join("\n");

describe("the judge of a ledger", () => {
  const both = [attempt("f1-1"), attempt("f1-2", { way: "out" })];
  const there = found({ mailbox: { "f1-1": 1 }, smarthost: { "f1-2": 1 } });

  test("has nothing to say where each message that was taken lies in one place", () => {
    expect(wrong(both, there)).toBe("");
    expect(judge(both, there)).toMatchObject({
      sent: 2,
      taken: 2,
      refusedForNow: 0,
      delayed: 0,
      repeated: 0,
    });
  });

  test("goes red for one that was taken and is nowhere", () => {
    expect(wrong(both, found({ mailbox: { "f1-1": 1 } }))).toMatch(
      /^1 taken with 250 and found nowhere: f1-2$/,
    );
  });

  test("goes red for one that stays in the queue, and does not call it lost", () => {
    const verdict = judge(both, found({ mailbox: { "f1-1": 1 }, queue: ["f1-2"] }));
    expect(verdict.lost).toEqual([]);
    expect(complaints(verdict)).toEqual(["1 taken with 250 and still in the queue: f1-2"]);
  });

  test("goes red for one that comes back, unless the relay refuses it for good; it is not lost then", () => {
    const back = found({ mailbox: { "f1-1": 1 }, bounced: ["f1-2"] });
    expect(wrong(both, back)).toBe("1 taken with 250 and come back as undeliverable: f1-2");
    expect(wrong(both, back, { bounces: "the relay says 5xx" })).toBe("");
    expect(judge(both, back)).toMatchObject({ lost: [], bounced: ["f1-2"] });
  });

  test("goes red for a second copy, unless the server may deliver twice", () => {
    const twice = found({ mailbox: { "f1-1": 2 }, smarthost: { "f1-2": 1 } });
    expect(wrong(both, twice)).toMatch(/^1 found more than once/);
    expect(wrong(both, twice, { duplicates: "it was killed between delivery and noting it" })).toBe("");
    expect(judge(both, twice).duplicated).toEqual(["f1-1"]);
  });

  test("lets a second copy pass, and counts it, where a reply was lost and the sender had to try again", () => {
    const ledger = [cut("f1-1", { inDoubt: true }), attempt("f1-1", { attempt: 2 })];
    const verdict = judge(ledger, found({ mailbox: { "f1-1": 2 } }));
    expect(complaints(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ repeated: 1, delayed: 1, refusedForNow: 1 });
    expect(wrong(ledger, found({ mailbox: { "f1-1": 3 } }))).toMatch(/found more than once/);
  });

  test("goes red for a 5xx, with the server's words", () => {
    const refused = attempt("f1-1", { stage: "rcpt", code: 550, text: "550 5.1.2 no such mailbox" });
    expect(wrong([refused], found())).toBe("1 refused for good: f1-1 at rcpt: 550 5.1.2 no such mailbox");
  });

  test("goes red for one that nobody would take, and for one that came though nobody took it", () => {
    const ledger = [attempt("f1-1", { code: 451, text: "451 later" })];
    expect(wrong(ledger, found())).toMatch(/^1 not taken until the sender gave up/);
    expect(wrong(ledger, found({ mailbox: { "f1-1": 1 } }))).toMatch(/found, though it was never taken/);
  });
});

describe("the times of a fault", () => {
  test("are from the first refusal to the first message that is taken after the last", () => {
    const ledger = [
      attempt("f1-1"),
      attempt("f1-2", { began: 2000, ended: 2100, code: 451 }),
      // Taken while others are refused still: that is not the end.
      attempt("f1-3", { began: 2500, ended: 2600 }),
      cut("f1-4", { began: 4000, ended: 9000 }),
      attempt("f1-2", { began: 5000, ended: 5500, attempt: 2 }),
    ];
    expect(timesOf(ledger, 4500)).toEqual({ refusing: 3.5, healing: 1 });
  });

  test("are nothing when nothing was refused", () => {
    expect(timesOf([attempt("f1-1")], 500)).toEqual({ refusing: 0, healing: 0 });
  });
});
