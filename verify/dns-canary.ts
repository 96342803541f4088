/**
 * A record that is written by a key of RFC 2136, read where it was written, and taken away: what an
 * `up` and the doctor judge the key by.
 */
import { randomBytes, randomInt } from "node:crypto";

import { wordsOf } from "../lib/errors.ts";
import type { Ask } from "../lib/dns/ask.ts";
import { type DnsAnswer, question, signed, type TsigKey, update } from "../lib/dns/message.ts";

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
  const write = (ttl?: number) => {
    const change = { name, type: "TXT" as const, value, ...(ttl !== undefined && { ttl }) };
    return ask(signed(update(id(), zone, [change]), key, Math.floor(Date.now() / 1000)));
  };
  const reads = async () =>
    (await ask(question(id(), name, "TXT"))).records.some((record) => record.value === value);
  const added = await write(1);
  if (added.code !== "NOERROR") return { value, found, added };
  let unread: string | undefined;
  const isServed = await reads().catch((error: unknown) => {
    unread = wordsOf(error);
    return false;
  });
  const removed = await write();
  const isLeft = removed.code !== "NOERROR" || (unread === undefined && (await reads()));
  return { value, found, added, isServed, ...(unread !== undefined && { unread }), removed, isLeft };
}
