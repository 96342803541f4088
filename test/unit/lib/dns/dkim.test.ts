import { createPublicKey, createVerify, generateKeyPairSync, sign, verify } from "node:crypto";

import { expect, test } from "vitest";

import { dkimRecord, isDkimRecord } from "../../../../lib/dns/dkim.ts";
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
  expect(() =>
    dkimRecord(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export(spki) as string),
  ).toThrow(/this key is of ec; DKIM has rsa, ed25519/);
});

test("the record of an ed25519 key has its 32 bytes alone, by which a signature is verified", () => {
  const key = generateKeyPairSync("ed25519", { publicKeyEncoding: spki, privateKeyEncoding: pkcs8 });
  const record = dkimRecord(key.publicKey);
  const [, raw = ""] = /^v=DKIM1; k=ed25519; p=([A-Za-z0-9+/]{43}=)$/.exec(record) ?? [];
  const x = Buffer.from(raw, "base64").toString("base64url");
  const read = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signature = sign(null, Buffer.from("a hash"), key.privateKey);
  expect(verify(null, Buffer.from("a hash"), read, signature)).toBe(true);
  expect(textStrings(record)).toHaveLength(1);
});

test("the record of RFC 8463 comes out of its key", () => {
  // Its appendix A.2, in the structure that a PEM has.
  const der = Buffer.from("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "base64");
  const pem = createPublicKey({ key: der, format: "der", type: "spki" }).export(spki) as string;
  expect(dkimRecord(pem)).toBe("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
});

test.each([
  ["k=ed25519;p=AAA=", "v=DKIM1; k=ed25519; p=AAA=", true],
  ["v=DKIM1; p=AAA=", "v=DKIM1; k=rsa; p=AAA=", true],
  ["v=DKIM1; p=AAA=", "v=DKIM1; k=ed25519; p=AAA=", false],
  ["v=DKIM1; k=ed25519; p=BBB=", "v=DKIM1; k=ed25519; p=AAA=", false],
  ["v=DKIM1; k=ed25519; p=", "v=DKIM1; k=ed25519; p=", false],
])("whether %s is the record %s: %s", (published, record, is) => {
  expect(isDkimRecord(published, record)).toBe(is);
});

test("a private key is refused, and is not in the message", () => {
  expect(() => dkimRecord(privateKey)).toThrow(/^this is no public key in PEM$/);
  expect(() => dkimRecord("p=MIIB")).toThrow(/no public key/);
});
