import { createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import { dataBytes, readData } from "../../../../lib/dns/record-data.ts";
import { question, readAnswer, signed, update } from "../../../../lib/dns/message.ts";

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");
/** An answer that a server would send: header, question, and records. */
const answer = (flags: string, counts: string, rest: string) => hex(`0007 ${flags} ${counts} ${rest}`);
const HI = { name: "a.lab.test", type: "TXT", value: "hi" } as const;
const LAB = "03 6c6162 04 74657374 00";

describe("a message", () => {
  test("that asks for a TXT record asks without recursion", () => {
    expect(question(7, "a.lab.test", "TXT").toString("hex")).toBe(
      hex(`0007 0000 0001 0000 0000 0000 01 61 ${LAB} 0010 0001`).toString("hex"),
    );
  });

  test("that adds a record names zone, name, class IN and the text; one that takes it away, class NONE", () => {
    const record = (type: string) => `01 61 ${LAB} 0010 ${type} 0003 02 6869`;
    const head = `0007 2800 0001 0000 0001 0000 ${LAB} 0006 0001`;
    expect(update(7, "lab.test", [{ ...HI, ttl: 1 }])).toEqual(hex(head + record("0001 00000001")));
    expect(update(7, "lab.test", [HI])).toEqual(hex(head + record("00fe 00000000")));
  });

  test("that asks for a name in capitals, or with a dot at its end, asks in lower case", () => {
    expect(question(0x1234, "_acme-challenge.Lab.test.", "TXT").toString("hex")).toBe(
      `1234${"0000"}0001000000000000${"0f"}${Buffer.from("_acme-challenge").toString("hex")}036c6162047465737400${"0010"}0001`,
    );
  });

  test("that is signed is signed as RFC 8945 has it, over what it says without the signature", () => {
    const key = { name: "lab-acme", algorithm: "hmac-sha256", secret: Buffer.from("secret of the key") };
    const message = signed(update(7, "lab.test", [{ ...HI, value: "word", ttl: 1 }]), key, 1_700_000_000);
    // Opcode 5; one zone, one update, one additional record.
    expect(message.subarray(0, 12).toString("hex")).toBe("000728000001000000010001");
    const name = Buffer.from("\u0008lab-acme\0", "latin1");
    const tsig = message.lastIndexOf(name);
    const unsigned = Buffer.concat([
      message.subarray(0, 10),
      Buffer.from([0, 0]),
      message.subarray(12, tsig),
    ]);
    const algorithm = Buffer.from("\u000bhmac-sha256\0", "latin1");
    const stamp = hex("00006553f100012c");
    const variables = Buffer.concat([name, hex("00ff00000000"), algorithm, stamp, Buffer.alloc(4)]);
    const mac = createHmac("sha256", key.secret)
      .update(Buffer.concat([unsigned, variables]))
      .digest();
    expect(message.subarray(tsig + name.length).toString("hex")).toBe(
      Buffer.concat([
        hex("00fa00ff00000000003d"),
        algorithm,
        stamp,
        hex("0020"),
        mac,
        hex("000700000000"),
      ]).toString("hex"),
    );
  });

  test("that is signed counts one record more, and another secret makes another signature", () => {
    const message = update(7, "lab.test", [{ ...HI, ttl: 1 }]);
    const by = (secret: string) =>
      signed(message, { name: "Key.", algorithm: "hmac-sha256", secret: Buffer.from(secret) }, 1_700_000_000);
    expect(by("one").readUInt16BE(10)).toBe(1);
    expect(by("one").subarray(12, message.length)).toEqual(message.subarray(12));
    expect(by("one")).not.toEqual(by("two"));
    expect(by("one").subarray(message.length).toString("latin1")).toMatch(/^\x03key\0\0\xfa\0\xff/);
  });
});

test.each([
  ["A", "192.0.2.1", "c0000201"],
  ["AAAA", "2001:db8::25", "2001 0db8 0000 0000 0000 0000 0000 0025"],
  ["MX", "10 a.test.", "000a 01 61 04 74657374 00"],
  ["SRV", "0 1 465 a.test.", "0000 0001 01d1 01 61 04 74657374 00"],
  ["SRV", "0 0 0 .", "0000 0000 0000 00"],
  ["TXT", "hi", "02 6869"],
  ["TXT", "x".repeat(300), `ff ${"78".repeat(255)} 2d ${"78".repeat(45)}`],
  ["CAA", '0 issue "ca.test; a=b"', `00 05 6973737565 ${Buffer.from("ca.test; a=b").toString("hex")}`],
] as const)("the data of a record of type %s, %s, are these bytes, and read back", (type, value, bytes) => {
  expect(dataBytes(type, value).toString("hex")).toBe(hex(bytes).toString("hex"));
  expect(readData(type, hex(bytes), 0, hex(bytes).length)).toBe(value);
});

describe("an answer", () => {
  test.each([
    ["8000", "NOERROR"],
    ["8003", "NXDOMAIN"],
    ["a805", "REFUSED"],
    ["a809", "NOTAUTH"],
    ["800f", "code 15"],
  ])("with the flags %s is %s", (flags, code) => {
    expect(readAnswer(answer(flags, "0000 0000 0000 0000", ""))).toEqual({ id: 7, code, records: [] });
  });

  test("has the texts of its TXT records, strings of one put together", () => {
    expect(() => readAnswer(hex("00"))).toThrow(RangeError);
    const txt = "c00c 0010 0001 00000001 0006 02 6869 02 686f";
    const bytes = answer("8400", "0001 0001 0000 0000", `01 61 ${LAB} 0010 0001 ${txt}`);
    expect(readAnswer(bytes).records).toEqual([{ name: "a.lab.test", type: "TXT", value: "hiho" }]);
  });

  test("that knows no such name tells its zone by the SOA record beside", () => {
    const soa = "c00e 0006 0001 00000005 0016 c00e c00e 00000001 00000001 00000001 00000001 00000001";
    const bytes = answer(
      "8403",
      "0001 0000 0001 0000",
      `01 61 ${LAB} 0006 0001 ${soa.replace("0016", "0018")}`,
    );
    expect(readAnswer(bytes)).toMatchObject({ code: "NXDOMAIN", zone: "lab.test" });
  });

  test("says what is wrong with the signature", () => {
    const data = "0b 686d61632d736861323536 00 000000000000 012c 0000 0007 0010 0000";
    const tsig = `00 00fa 00ff 00000000 001b ${data}`;
    expect(readAnswer(answer("a809", "0000 0000 0000 0001", tsig))).toMatchObject({
      code: "NOTAUTH",
      signature: "BADSIG",
    });
  });

  test("that is cut off, or whose name leads in a circle, is an error", () => {
    const whole = answer("8000", "0001 0000 0000 0000", `01 61 ${LAB} 0010 0001`);
    expect(() => readAnswer(whole.subarray(0, 14))).toThrow(RangeError);
    const circle = "c00c 0006 0001 00000001 0000";
    expect(() => readAnswer(answer("8000", "0000 0001 0000 0000", circle))).toThrow(RangeError);
  });
});
