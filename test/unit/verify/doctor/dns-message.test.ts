import { createHmac } from "node:crypto";
import { expect, test } from "vitest";

import { question, readAnswer, textOf, TYPES, update } from "../../../../verify/doctor/dns-message.ts";

const KEY = { name: "lab-acme", algorithm: "hmac-sha256", secret: Buffer.from("secret of the key") };

test("a question is one, for the Internet's class", () => {
  expect(question(0x1234, "_acme-challenge.Lab.test.", TYPES.TXT).toString("hex")).toBe(
    `1234${"0000"}0001000000000000${"0f"}${Buffer.from("_acme-challenge").toString("hex")}036c6162047465737400${"0010"}0001`,
  );
});

test("an update is signed as RFC 8945 has it, over what it says without the signature", () => {
  const message = update(
    7,
    "lab.test",
    { verb: "add", name: "a.lab.test", text: "word" },
    KEY,
    1_700_000_000,
  );
  // Opcode 5; one zone, one update, one additional record.
  expect(message.subarray(0, 12).toString("hex")).toBe("000728000001000000010001");
  const name = Buffer.from("\u0008lab-acme\0", "latin1");
  const tsig = message.lastIndexOf(name);
  const unsigned = Buffer.concat([message.subarray(0, 10), Buffer.from([0, 0]), message.subarray(12, tsig)]);
  const algorithm = Buffer.from("\u000bhmac-sha256\0", "latin1");
  const stamp = Buffer.from("00006553f100012c", "hex");
  const variables = Buffer.concat([
    name,
    Buffer.from("00ff00000000", "hex"),
    algorithm,
    stamp,
    Buffer.alloc(4),
  ]);
  const mac = createHmac("sha256", KEY.secret)
    .update(Buffer.concat([unsigned, variables]))
    .digest();
  expect(message.subarray(tsig + name.length).toString("hex")).toBe(
    Buffer.concat([
      Buffer.from("00fa00ff00000000003d", "hex"),
      algorithm,
      stamp,
      Buffer.from("0020", "hex"),
      mac,
      Buffer.from("000700000000", "hex"),
    ]).toString("hex"),
  );
});

test("a record is taken away by what it says, and others of its name stay", () => {
  const hex = (verb: "add" | "delete") =>
    update(7, "lab.test", { verb, name: "a.lab.test", text: "word" }, KEY, 1_700_000_000).toString("hex");
  // TXT, class and TTL, length, text: RFC 2136 §2.5.1 and §2.5.4.
  const text = `05${"04"}${Buffer.from("word").toString("hex")}`;
  expect(hex("add")).toContain(`00100001${"0000003c"}00${text}`);
  expect(hex("delete")).toContain(`001000fe${"00000000"}00${text}`);
});

test("an answer is read with names that point into it", () => {
  const head = Buffer.from("000784000001000100000000", "hex");
  const asked = Buffer.concat([
    Buffer.from("\u0001a\u0003lab\u0004test\0", "latin1"),
    Buffer.from("00100001", "hex"),
  ]);
  const record = Buffer.concat([
    Buffer.from("c00c001000010000003c0006", "hex"),
    Buffer.from("\u0002ab\u0002cd"),
  ]);
  const answer = readAnswer(Buffer.concat([head, asked, record]));
  expect(answer).toMatchObject({
    id: 7,
    code: "NOERROR",
    records: [{ name: "a.lab.test", type: TYPES.TXT }],
  });
  expect(textOf(answer.records[0]?.data ?? Buffer.alloc(0))).toBe("abcd");
  expect(readAnswer(Buffer.from("0007a8090000000000000000", "hex")).code).toBe("NOTAUTH");
  expect(() => readAnswer(Buffer.from("00"))).toThrow(/no message/);
  // A name that points to itself.
  const circle = Buffer.concat([Buffer.from("000784000001000000000000", "hex"), Buffer.from("c00c", "hex")]);
  expect(() => readAnswer(circle)).toThrow(/without an end/);
});
