import { createVerify, generateKeyPairSync, sign } from "node:crypto";

import { expect, test } from "vitest";

import { dkimRecord } from "../../../../lib/dns/dkim.ts";
import { textStrings } from "../../../../lib/dns/record.ts";

const spki = { type: "spki", format: "pem" } as const;
const pkcs8 = { type: "pkcs8", format: "pem" } as const;
const rsa = (modulusLength: number) =>
  generateKeyPairSync("rsa", { modulusLength, publicKeyEncoding: spki, privateKeyEncoding: pkcs8 });
const { publicKey, privateKey } = rsa(2048);

test("a receiver that reads the record verifies what the private key has signed", () => {
  const [, tags = ""] = /^v=DKIM1; k=rsa; p=([A-Za-z0-9+/=]+)$/.exec(dkimRecord(publicKey)) ?? [];
  const signature = sign("sha256", Buffer.from("a message"), privateKey);
  // As a receiver has it: base64 of a SubjectPublicKeyInfo (RFC 6376 §3.6.1).
  const key = { key: Buffer.from(tags, "base64"), format: "der", type: "spki" } as const;
  expect(createVerify("sha256").update("a message").verify(key, signature)).toBe(true);
  expect(createVerify("sha256").update("another").verify(key, signature)).toBe(false);
});

test("a key of 2048 bits takes two strings, which join to the record", () => {
  const record = dkimRecord(publicKey);
  const strings = textStrings(record);
  expect(strings.map((each) => each.length)).toEqual([255, record.length - 255]);
  expect(strings.join("")).toBe(record);
});

test("a key that receivers do not believe, or do not know, is refused", () => {
  expect(() => dkimRecord(rsa(512).publicKey)).toThrow(/512 bits.*1024/);
  expect(() => dkimRecord(generateKeyPairSync("ed25519").publicKey.export(spki) as string)).toThrow(
    /ed25519.*lesson 19/,
  );
});

test("a private key is refused, and is not in the message", () => {
  expect(() => dkimRecord(privateKey)).toThrow(/^this is no public key in PEM$/);
  expect(() => dkimRecord("p=MIIB")).toThrow(/no public key/);
});
