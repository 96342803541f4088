import { describe, expect, test } from "vitest";

import {
  isKnown,
  readSignedAnswer,
  signedQuestion,
  tagOf,
  vouchesFor,
  type ZoneKey,
} from "../../../../lib/dns/dnssec.ts";

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");

/** RFC 4034 §5.4, and RFC 4509 §2.3: one key and its digests. */
const DATA = Buffer.concat([
  hex("0100 03 05"),
  Buffer.from(
    "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
    "base64",
  ),
]);
const KEY: ZoneKey = { tag: 60485, algorithm: 5, data: DATA };
const SHA1 = {
  tag: 60485,
  algorithm: 5,
  digestType: 1,
  digest: hex("2BB183AF5F22588179A53B0A98631FAD1A292118"),
};
const SHA256 = {
  ...SHA1,
  digestType: 2,
  digest: hex("D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"),
};

describe("a key of the RFCs' examples", () => {
  test("has the tag that they give it", () => {
    expect(tagOf(DATA)).toBe(60485);
  });

  test("is vouched for by both of its digests, at its own zone alone", () => {
    for (const digest of [SHA1, SHA256]) {
      expect(vouchesFor(digest, "dskey.example.com", KEY)).toBe(true);
      expect(vouchesFor(digest, "DSKEY.example.com.", KEY)).toBe(true);
      expect(vouchesFor(digest, "example.com", KEY)).toBe(false);
    }
  });

  test("is not by what has another tag, algorithm or kind of digest", () => {
    for (const other of [{ tag: 1 }, { algorithm: 8 }, { digestType: 4 }, { digestType: 3 }])
      expect(vouchesFor({ ...SHA256, ...other }, "dskey.example.com", KEY)).toBe(false);
    expect([SHA1, SHA256, { ...SHA1, digestType: 3 }, { ...SHA1, algorithm: 3 }].map(isKnown)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

test("a question asks for signatures, and for what a resolver holds for wrong", () => {
  expect(signedQuestion(7, "a.test", "DS").toString("hex")).toBe(
    hex("0007 0110 0001 0000 0000 0001 01 61 04 74657374 00 002b 0001 00 0029 04d0 00008000 0000").toString(
      "hex",
    ),
  );
});

test("an answer's keys are those that zones sign with: neither another's nor one that was revoked", () => {
  const record = (flags: string) => `00 0030 0001 00000005 0008 ${flags} 03 0d 01020304`;
  const records = ["0100", "0101", "0000", "0181"].map(record).join("");
  const { code, keys } = readSignedAnswer(hex(`0007 8180 0000 0004 0000 0000 ${records}`));
  expect([code, keys.map(({ data }) => data.readUInt16BE(0))]).toEqual(["NOERROR", [0x0100, 0x0101]]);
});
