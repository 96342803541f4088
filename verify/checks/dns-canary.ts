// The key of the DNS server writes: with a dead one the next certificate cannot be had (lesson 2).
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";

import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, lesson, ok, skip, unknown } from "../check.ts";
import { dialFrom } from "../dial.ts";
import {
  type Answer,
  question,
  readAnswer,
  textOf,
  type TsigKey,
  TYPES,
  update,
} from "../doctor/dns-message.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** What an update was refused with, and what it means. */
const ADVICE: Record<string, string> = {
  NOTAUTH: "the server does not know the key, or its secret is another, or a clock is off by more than 300 s",
  REFUSED: "the server knows the key, and lets it write no such record",
  SERVFAIL: "the server cannot write its zone: its own log says why",
};

/** Writes a TXT record by Stalwart's own key, reads it where it was written, and takes it away. */
export const dnsCanary: Check<DoctorScene> = {
  id: "dns-canary",
  from: "namespace",
  needs: ["namespace", "stalwart-runs"],
  lesson: lesson(2),
  seconds: 13,
  async look(scene) {
    const { settings, canary } = scene.target;
    const { dnsProvider, acme = [], domains } = settings;
    if (!canary) return skip("it writes a record, so only with --canary");
    if (dnsProvider === undefined) return skip("the config names no DNS provider");
    if (dnsProvider.type !== "rfc2136") return skip(`the doctor cannot write records at ${dnsProvider.type}`);
    const { host, port, keyName, algorithm, secretFile } = dnsProvider;
    const at = `the DNS server ${host}`;
    const ask = (make: (id: number) => Buffer) => exchange(scene, host, port, make);
    const owner = (acme[0]?.names[0] ?? domains[0]?.name ?? settings.hostname).replace(/^\*\./, "");
    const found = await ask((id) => question(id, owner, TYPES.SOA));
    const zone = found.records.find(({ type }) => type === TYPES.SOA)?.name;
    if (zone === undefined) return fail(`${at} has no zone for ${owner}: ${found.code}`);
    const key: TsigKey = {
      name: keyName,
      algorithm,
      secret: Buffer.from((await scene.secret(secretFile)).trim(), "base64"),
    };
    const text = `tailwart-doctor-${randomBytes(6).toString("hex")}`;
    // The one name that such a key may have to be good for, beside what an order has there.
    const name = `_acme-challenge.${owner}`;
    const change = (verb: "add" | "delete") =>
      ask((id) => update(id, zone, { verb, name, text }, key, Math.floor(Date.now() / 1000)));
    const written = await change("add");
    if (written.code !== "NOERROR")
      return fail(`${at} refuses the record with ${written.code}`, {
        advice: ADVICE[written.code] ?? "see the server's own log",
        fix: "pulumi config set --secret tailwart:dnsSecret && pulumi up",
      });
    const read = await ask((id) => question(id, name, TYPES.TXT)).catch((error: unknown) => wordsOf(error));
    const gone = await change("delete");
    if (gone.code !== "NOERROR")
      return fail(`${at} does not take the record away again: ${gone.code}`, {
        advice: `Stalwart adds nothing where something is left: delete the TXT record of ${name} by hand`,
      });
    if (typeof read === "string") return unknown(`${at} took a record and cannot be asked for it: ${read}`);
    const seen = read.records.some(({ type, data }) => type === TYPES.TXT && textOf(data) === text);
    return seen
      ? ok(`${at} took a record by the key ${keyName}, showed it and took it away`)
      : unknown(`${at} took a record and does not show it: ${read.code}`);
  },
};

/** One message and its answer, over TCP from Stalwart's namespace (RFC 1035 §4.2.2). */
async function exchange(
  { target: { kvm } }: DoctorScene,
  host: string,
  port: number,
  make: (id: number) => Buffer,
): Promise<Answer> {
  const stream = dialFrom(kvm.dockerHost, kvm.sidecar, host, port);
  try {
    const id = randomBytes(2).readUInt16BE(0);
    const message = make(id);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    stream.write(Buffer.concat([length, message]));
    const answer = readAnswer(await oneMessage(stream));
    if (answer.id !== id) throw new Error(`${host} answers another question`);
    return answer;
  } finally {
    stream.destroy();
  }
}

async function oneMessage(stream: Duplex): Promise<Buffer> {
  let buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    buffer = Buffer.concat([buffer, chunk]);
    if (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0))
      return buffer.subarray(2, 2 + buffer.readUInt16BE(0));
  }
  throw new Error("the DNS server ended the connection without an answer");
}
