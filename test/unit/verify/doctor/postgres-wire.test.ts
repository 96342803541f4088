import { Duplex } from "node:stream";
import { expect, test } from "vitest";

import { PostgresError, queryOnce, Scram } from "../../../../verify/doctor/postgres-wire.ts";

test("SCRAM-SHA-256 says what RFC 7677 has in its example, and knows the server by it", () => {
  const scram = new Scram("pencil", "rOprNGfwEbeRWgbNEkqO", "user");
  expect(scram.first).toBe("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  expect(scram.final(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)).toBe(
    `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  );
  expect(scram.isServer("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).toBe(true);
  expect(scram.isServer("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).toBe(false);
});

const message = (type: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeInt32BE(data.length + 4, 1);
  return Buffer.concat([head, data]);
};
const int32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};

/** A server that has recorded its answers: the first to whatever is said, and so on. */
function recorded(answers: Buffer[]): Duplex & { heard: string } {
  let heard = "";
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      heard += chunk.toString("latin1");
      const next = answers.shift();
      // Bytes may come in pieces.
      if (next) for (const byte of [next.subarray(0, 3), next.subarray(3)]) stream.push(byte);
      done();
    },
  });
  return Object.defineProperty(stream, "heard", { get: () => heard }) as Duplex & { heard: string };
}

const LOGIN = { user: "stalwart", database: "mail", password: "secret" };
const READY = message("Z", Buffer.from("I"));

test("a query's first row is read, null as nothing", async () => {
  const row = message("D", Buffer.concat([Buffer.from([0, 2]), int32(1), Buffer.from("t"), int32(-1)]));
  const server = recorded([
    Buffer.concat([message("R", int32(0)), message("S", Buffer.from("TimeZone\0UTC\0")), READY]),
    Buffer.concat([row, message("C", Buffer.from("SELECT 1\0")), READY]),
  ]);
  expect(await queryOnce(server, LOGIN, "select 1")).toEqual(["t", ""]);
  expect(server.heard).toMatch(/user\0stalwart\0database\0mail\0/);
  expect(server.heard).not.toContain("secret");
});

test("a refusal is Postgres' own, with its SQLSTATE", async () => {
  const words = 'SFATAL\0C28P01\0Mpassword authentication failed for user "stalwart"\0\0';
  const refused = queryOnce(recorded([message("E", Buffer.from(words))]), LOGIN, "select 1");
  await expect(refused).rejects.toThrow(PostgresError);
  await expect(refused).rejects.toMatchObject({
    code: "28P01",
    message: expect.stringMatching(/password authentication failed/),
  });
});
