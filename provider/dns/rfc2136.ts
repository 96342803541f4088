/** Records by RFC 2136: what goes and what comes of a zone is one message, and so one moment. */
import { randomInt } from "node:crypto";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { type Ask, askOver } from "../../lib/dns/ask.ts";
import {
  type DnsAnswer,
  question,
  type RecordChange,
  signed,
  type TsigKey,
  update,
} from "../../lib/dns/message.ts";
import { type RecordSets, type SetChange, setOf } from "../../lib/dns/record-sets.ts";
import { UserError } from "../../lib/errors.ts";
import type { RecordsWriter } from "./writer.ts";

/** Where records are written, and by which key; not its secret. */
export interface Rfc2136 {
  host: string;
  port: number;
  keyName: string;
  /** Such as hmac-sha256. */
  algorithm: string;
}

/** Milliseconds of silence after which a server is given up. */
const DEADLINE = 15_000;
/** Seconds that a record may be remembered. */
const TTL = 300;
/** Records of one message: it has 64 KiB at most, and a DKIM record half of one. */
const MOST = 80;

const id = () => randomInt(0x10000);

/** Asks a server over one connection, which ends with the work. */
export async function asking<Result>(
  dial: () => Duplex,
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const line = dial();
  const timer = setTimeout(() => line.destroy(new Error(`no answer within ${DEADLINE / 1000} s`)), DEADLINE);
  const ask = askOver(line);
  try {
    return await work((message) => {
      timer.refresh();
      return ask(message);
    });
  } finally {
    clearTimeout(timer);
    line.destroy();
  }
}

/** Every value of a set, as the server itself has it. */
export async function valuesAt(ask: Ask, key: string): Promise<string[]> {
  const { name, type } = setOf(key);
  const { code, records } = await ask(question(id(), name, type));
  if (code !== "NOERROR" && code !== "NXDOMAIN") throw new Error(`${key}: ${code}`);
  return records.filter((each) => each.name === name && each.type === type).map(({ value }) => value);
}

export class Rfc2136Writer implements RecordsWriter {
  readonly where: string;
  readonly #key: TsigKey;
  readonly #dial: () => Duplex;

  /** @param secret in base64 */
  constructor(
    { host, port, keyName, algorithm }: Rfc2136,
    secret: string,
    dial: () => Duplex = () => connect({ host, port }),
  ) {
    this.where = `${host}:${port}`;
    this.#key = { name: keyName, algorithm, secret: Buffer.from(secret, "base64") };
    this.#dial = dial;
  }

  read(keys: readonly string[]): Promise<RecordSets> {
    return asking(this.#dial, async (ask) => {
      const sets: RecordSets = {};
      for (const key of keys) sets[key] = await valuesAt(ask, key);
      return sets;
    });
  }

  write(changes: readonly SetChange[]): Promise<void> {
    return asking(this.#dial, async (ask) => {
      const zones = new Map<string, RecordChange[][]>();
      for (const change of changes) {
        const { name } = setOf(change.key);
        const { zone } = await ask(question(id(), name, "SOA"));
        if (zone === undefined)
          throw refusal(
            `${this.where} has no zone for ${name}`,
            "serve the zone there, or take the domain out",
          );
        const messages = zones.get(zone) ?? [[]];
        zones.set(zone, messages);
        const records = recordChanges(change);
        // A set is never in two messages.
        if ((messages.at(-1)?.length ?? 0) + records.length > MOST) messages.push([]);
        messages.at(-1)?.push(...records);
      }
      for (const [zone, messages] of zones)
        for (const records of messages) await this.#update(ask, zone, records);
    });
  }

  async #update(ask: Ask, zone: string, records: readonly RecordChange[]): Promise<void> {
    const answer = await ask(signed(update(id(), zone, records), this.#key, Math.floor(Date.now() / 1000)));
    if (answer.code === "NOERROR") return;
    throw refusal(
      `${this.where} refuses to change the zone ${zone} by the key "${this.#key.name}": ${why(answer)}`,
      "let the key write the names that npm run dns prints, or set its own secret: pulumi config set --secret tailwart:dnsSecret",
    );
  }
}

const recordChanges = ({ key, remove, add }: SetChange): RecordChange[] => [
  ...remove.map((value) => ({ ...setOf(key), value })),
  ...add.map((value) => ({ ...setOf(key), value, ttl: TTL })),
];

const why = ({ code, signature }: DnsAnswer) => [code, signature].filter(Boolean).join(", ");

const refusal = (what: string, hint: string) => new UserError(what, { path: "tailwart:dnsProvider", hint });
