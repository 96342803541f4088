/**
 * A record that is written by a key of RFC 2136, read where it was written, and taken away: what an
 * `up` and the doctor judge the key by.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { Duplex } from "node:stream";

import { wordsOf } from "../lib/errors.ts";
import { type DnsAnswer, question, readAnswer, signed, type TsigKey, update } from "../lib/dns/message.ts";

/** The connection has ended, or never stood; the message says why, where that is known. */
export class NoAnswer extends Error {}

/** Asks the server; see {@link askOver}. */
export type Ask = (message: Buffer) => Promise<DnsAnswer>;

/** What came of the record, as far as it came. */
export interface Canary {
  /** Its text. */
  value: string;
  /** The answer to who has the zone; without a zone nothing is written. */
  found: DnsAnswer;
  added?: DnsAnswer;
  /** Whether the server shows the record that it took. */
  isServed?: boolean;
  /** Why it could not be asked for it. */
  unread?: string;
  removed?: DnsAnswer;
  /** Whether the record was not taken, or is shown still, when it was to go. */
  isLeft?: boolean;
}

/**
 * Writes a TXT record, reads it, and takes it away: also where it was not shown.
 *
 * @throws NoAnswer when the server ends the connection
 */
export async function writeCanary(ask: Ask, key: TsigKey, name: string): Promise<Canary> {
  const id = () => randomInt(0x10000);
  const value = `tailwart-canary-${randomBytes(8).toString("hex")}`;
  const found = await ask(question(id(), name, "SOA"));
  const { zone } = found;
  if (zone === undefined) return { value, found };
  const write = (remove: boolean) =>
    ask(signed(update(id(), zone, name, value, remove), key, Math.floor(Date.now() / 1000)));
  const reads = async () => (await ask(question(id(), name, "TXT"))).texts.includes(value);
  const added = await write(false);
  if (added.code !== "NOERROR") return { value, found, added };
  let unread: string | undefined;
  const isServed = await reads().catch((error: unknown) => {
    unread = wordsOf(error);
    return false;
  });
  const removed = await write(true);
  const isLeft = removed.code !== "NOERROR" || (unread === undefined && (await reads()));
  return { value, found, added, isServed, ...(unread !== undefined && { unread }), removed, isLeft };
}

/** Messages over TCP, each after its length (RFC 1035 §4.2.2), one after another. */
export function askOver(pipe: Duplex): Ask {
  let received = Buffer.alloc(0);
  let told: () => void = () => undefined;
  let ended: string | undefined;
  pipe.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    told();
  });
  for (const event of ["end", "close", "error"])
    pipe.on(event, (error?: Error) => {
      ended ??= error?.message ?? "the DNS server ended the connection without an answer";
      told();
    });
  return async (message) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    if (ended === undefined) pipe.write(Buffer.concat([length, message]));
    for (;;) {
      const end = received.length < 2 ? Infinity : 2 + received.readUInt16BE(0);
      if (received.length >= end) {
        const answer = readAnswer(received.subarray(2, end));
        received = received.subarray(end);
        if (answer.id === message.readUInt16BE(0)) return answer;
        continue;
      }
      if (ended !== undefined) throw new NoAnswer(ended);
      await new Promise<void>((resolve) => (told = resolve));
    }
  };
}
