// A zone that a real Knot signs, as the doctor sees it: with its parent's record, with another,
// with none, and after the signatures have ended.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { judgeZone } from "../../verify/checks/dns-dnssec.ts";
import { lookAtZone, zonesOf } from "../../verify/doctor/signed-zone.ts";
import { Knot } from "./knot.ts";

const SIGNED = "signed.test";
const UNSIGNED = "plain.test";
const WRONG = "DS 12345 13 2 " + "00".repeat(32);
const DAY = 86_400_000;

let knot: Knot;

beforeAll(async () => {
  knot = await Knot.start(
    { test: "", [SIGNED]: `mail.${SIGNED}. A 192.0.2.1`, [UNSIGNED]: "" },
    { signed: [SIGNED] },
  );
});
afterAll(() => knot.stop());

const vouched = new Map<string, readonly string[]>();

/** The parent's records of a zone, in the place of those that it has. */
function vouch(zone: string, ...records: string[]) {
  const change = (what: string, all: readonly string[] = []) =>
    all.map((record) => [what, `${zone}.`, ...(what === "zone-set" ? ["5"] : []), ...record.split(" ")]);
  knot.edit("test", ...change("zone-unset", vouched.get(zone)), ...change("zone-set", records));
  vouched.set(zone, records);
}

async function judged(zone: string, { tlsa = false, now = new Date() } = {}) {
  return judgeZone(await lookAtZone(zone, [knot.address], [knot.address]), tlsa, now);
}

test("names are looked for in the zone that they are in, each zone once", async () => {
  const names = [`mail.${SIGNED}`, SIGNED, `there.is.none.${UNSIGNED}`];
  expect(await zonesOf(names, [knot.address])).toEqual([SIGNED, UNSIGNED]);
});

describe("a signed zone", () => {
  test("holds with each of the digests that its signer gives for the parent", async () => {
    const records = knot.delegations(SIGNED);
    expect(records.map((record) => record.split(" ")[3])).toEqual(expect.arrayContaining(["2", "4"]));
    for (const record of records) {
      vouch(SIGNED, record);
      expect(await judged(SIGNED)).toMatchObject({
        state: "ok",
        seen: expect.stringMatching(/good for another 1[34] days/),
      });
      // While a key is changed the parent has one that the zone no longer has, or not yet.
      vouch(SIGNED, record, WRONG);
      expect(await judged(SIGNED)).toMatchObject({ state: "ok" });
    }
  });

  test("fails where its parent vouches for another key", async () => {
    vouch(SIGNED, WRONG);
    expect(await judged(SIGNED)).toMatchObject({
      state: "fail",
      seen: expect.stringMatching(
        /^the parent of signed\.test vouches for the key 12345, and the zone's keys are: \d+/,
      ),
      advice: expect.stringContaining("SERVFAIL"),
    });
  });

  test("fails where the digest is another one, though the key's tag is the same", async () => {
    const [record = ""] = knot.delegations(SIGNED);
    vouch(
      SIGNED,
      record.replace(/..$/, (byte) => (byte === "00" ? "ff" : "00")),
    );
    expect(await judged(SIGNED)).toMatchObject({ state: "fail" });
  });

  test("counts as unsigned without a record at its parent, or with one that resolvers do not know", async () => {
    for (const records of [[], ["DS 12345 13 200 00"], ["DS 12345 200 2 " + "00".repeat(32)]]) {
      vouch(SIGNED, ...records);
      expect(await judged(SIGNED)).toMatchObject({
        state: "ok",
        seen: expect.stringContaining("counts as unsigned"),
      });
      expect(await judged(SIGNED, { tlsa: true })).toMatchObject({
        state: "fail",
        seen: expect.stringContaining("RFC 7672"),
      });
    }
  });

  test("is told of a day before its signatures end, and fails when they have, or have not begun", async () => {
    vouch(SIGNED, ...knot.delegations(SIGNED));
    const at = (days: number) => judged(SIGNED, { now: new Date(Date.now() + days * DAY) });
    expect(await at(12)).toMatchObject({ state: "ok" });
    expect(await at(13.2)).toMatchObject({
      state: "warn",
      seen: expect.stringMatching(/ends in \d\d hours/),
    });
    expect(await at(15)).toMatchObject({
      state: "fail",
      seen: expect.stringMatching(/(DNSKEY|SOA) signed\.test ended on/),
    });
    expect(await at(-2)).toMatchObject({ state: "fail", seen: expect.stringContaining("begins later") });
  });
});

describe("a zone that is not signed", () => {
  test("holds, but for who publishes TLSA records in it", async () => {
    expect(await judged(UNSIGNED)).toMatchObject({
      state: "ok",
      seen: expect.stringMatching(/^plain\.test is not signed/),
    });
    expect(await judged(UNSIGNED, { tlsa: true })).toMatchObject({ state: "fail" });
  });

  test("fails where its parent vouches for a key", async () => {
    vouch(UNSIGNED, WRONG);
    expect(await judged(UNSIGNED)).toMatchObject({
      state: "fail",
      seen: expect.stringContaining("keys are: none"),
    });
    vouch(UNSIGNED);
  });
});

test("where no resolver answers over TCP that is said, and no zone is blamed", async () => {
  await expect(lookAtZone(SIGNED, [], ["127.0.0.1:1"])).rejects.toThrow(
    /127\.0\.0\.1:1 gives no answer over TCP/,
  );
  const silent = await lookAtZone(UNSIGNED, ["127.0.0.1:1"], [knot.address]);
  expect(judgeZone(silent, false, new Date())).toMatchObject({
    state: "warn",
    seen: expect.stringContaining("from here"),
  });
});
