import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { editZone } from "../../lab/dns.ts";
import { send } from "../../lab/mail/outside.ts";
import {
  type Judgement,
  judgementOf,
  RECEIVER_DOMAIN,
  renewReceiver,
  startReceiver,
  stopReceiver,
} from "../../lab/receiver.ts";
import type { DkimStep } from "../../lib/dns/dkim-steps.ts";
import { accountPassword, submission } from "../../cli/parts/mail-round-trip.ts";
import { eventually, lab, layout, said, up } from "./lab.ts";

/** The slow rest runs in `npm run test:full`. */
const FULL = process.env["TAILWART_FULL"];
const PASSED: Judgement = { spf: "pass", dkim: "pass", dmarc: "pass" };
let pass: string;

/** Sends a message as one of the stack's users does, and tells what the receiver thinks of it. */
async function judged(): Promise<Judgement> {
  const id = randomUUID();
  const [to, subject] = [`${id}@${RECEIVER_DOMAIN}`, `judged ${id}`];
  // A deploy that brings a key starts Stalwart over: mail programs try again, and so does this one.
  await eventually("it is handed in", 60, () =>
    send(layout, { ...submission(lab, pass), to, subject, body: "hello" }).then(() => true),
  );
  let judgement: Judgement | undefined;
  await eventually("the receiver has it", 30, () => (judgement = judgementOf(layout, subject)) !== undefined);
  return judgement ?? {};
}

beforeAll(async () => {
  const deployed = await up({}, "--refresh");
  expect(deployed.code, said(deployed)).toBe(0);
  pass = await accountPassword(lab, "alice");
  await startReceiver(layout);
}, 300_000);

afterAll(() => stopReceiver(layout));

describe("a receiver that checks SPF, DKIM and DMARC", () => {
  test("passes the stack's mail by each of them", async () => {
    expect(await judged()).toEqual(PASSED);
  }, 180_000);

  test.each([
    ["SPF", /v=spf1 .*"/, 'v=spf1 -all"', { spf: "fail", dkim: "pass", dmarc: "pass" }],
    ["DKIM", /^(lab2026\._domainkey\S+ TXT) .*/, '$1 "v=DKIM1; p="', { spf: "pass", dmarc: "pass" }],
  ])(
    "sees it when the zone's %s record is wrong",
    async (_, before, after, expected) => {
      const undo = await editZone(layout, (records) => records.map((each) => each.replace(before, after)));
      try {
        await renewReceiver(layout);
        const judgement = await judged();
        expect(judgement).toMatchObject(expected);
        expect(judgement).not.toEqual(PASSED);
      } finally {
        await undo();
      }
    },
    60_000,
  );
});

describe.runIf(FULL)("a rotation of the DKIM key, while one of ed25519 comes and goes beside it", () => {
  const STEPS: Record<string, DkimStep>[] = [
    { lab2026: "sign", next: "publish", ed: "publish" },
    { lab2026: "retire", next: "sign", ed: "sign" },
    { next: "sign", ed: "retire" },
    { next: "sign", lab2026: "publish" },
    { next: "retire", lab2026: "sign" },
    { lab2026: "sign" },
  ];

  test("passes all mail before, during and after each step", async () => {
    // It remembers the wrong records of the tests before.
    await renewReceiver(layout);
    const judgements: Judgement[] = [];
    for (const step of STEPS) {
      const selectors = Object.entries(step).map(([name, use]) => ({
        name,
        use,
        algorithm: name === "ed" ? "ed25519" : "rsa",
      }));
      let isDone = false;
      const deploy = up({ "tailwart:dkim/selectors": selectors }).finally(() => (isDone = true));
      // Whatever comes of a message: the next test meets a deploy that has ended.
      const mail = (async () => {
        while (!isDone) judgements.push(await judged());
      })();
      const run = await deploy;
      await mail;
      expect(run.code, said(run)).toBe(0);
      judgements.push(await judged());
    }
    expect(
      judgements.filter(
        ({ dkim, spf, dmarc }) => !/^pass pass( pass)? pass$/.test(`${spf} ${dkim} ${dmarc}`),
      ),
    ).toEqual([]);
    expect(judgements.map(({ dkim }) => dkim)).toContain("pass pass");
    expect(judgements.length).toBeGreaterThan(2 * STEPS.length);
  }, 600_000);
});
