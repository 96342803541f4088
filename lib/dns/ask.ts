/** How a DNS server is asked: over TCP, where no answer is too long or forged by a guess. */
import type { Duplex } from "node:stream";

import { type DnsAnswer, readAnswer } from "./message.ts";

/** The connection has ended, or never stood; the message says why, where that is known. */
export class NoAnswer extends Error {}

/** Asks the server; see {@link askOver}. */
export type Ask = (message: Buffer) => Promise<DnsAnswer>;

/** Messages over TCP, each after its length (RFC 1035 §4.2.2), one after another. */
export const askOver = (pipe: Duplex): Ask => exchangeOver(pipe, readAnswer);

/** The same for answers of which something else is read. */
export function exchangeOver<Answer extends { id: number }>(
  pipe: Duplex,
  read: (message: Buffer) => Answer,
): (message: Buffer) => Promise<Answer> {
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
        const answer = read(received.subarray(2, end));
        received = received.subarray(end);
        if (answer.id === message.readUInt16BE(0)) return answer;
        continue;
      }
      if (ended !== undefined) throw new NoAnswer(ended);
      await new Promise<void>((resolve) => (told = resolve));
    }
  };
}
