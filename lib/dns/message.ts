/**
 * DNS messages of two kinds: a question, and an update with a signature (RFC 1035, RFC 2136, RFC
 * 8945). Pure.
 */
import { createHmac } from "node:crypto";

import { dataBytes, readData, type RecordType, TYPE_NUMBERS } from "./record-data.ts";
import { long, nameBytes, numbers, readName, skipName } from "./wire.ts";

const TYPES = { ...TYPE_NUMBERS, SOA: 6, TSIG: 250 } as const;
const CLASSES = { IN: 1, NONE: 254, ANY: 255 } as const;
const UPDATE = 5 << 11;
/** How far clocks may differ. Seconds. */
const FUDGE = 300;

/** What an answer's code is called (RFC 1035 §4.1.1, RFC 2136 §2.2). */
const RCODES: Readonly<Record<number, string>> = {
  0: "NOERROR",
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
  6: "YXDOMAIN",
  7: "YXRRSET",
  8: "NXRRSET",
  9: "NOTAUTH",
  10: "NOTZONE",
};
/** What is wrong with a signature (RFC 8945 §3). */
const SIGNATURES: Readonly<Record<number, string>> = {
  16: "BADSIG",
  17: "BADKEY",
  18: "BADTIME",
  22: "BADTRUNC",
};

const KNOWN = new Map<number, RecordType>(
  Object.entries(TYPE_NUMBERS).map(([type, number]) => [number, type as RecordType]),
);

/** A key that signs. */
export interface TsigKey {
  name: string;
  /** Such as hmac-sha256. */
  algorithm: string;
  secret: Buffer;
}

/** A record with its data in the words of {@link readData}. */
export interface ServedRecord {
  /** In lower case, without the dot at its end. */
  name: string;
  type: RecordType;
  value: string;
}

/** One record that comes or goes; all of an update do so together (RFC 2136 §3.7). */
export interface RecordChange extends ServedRecord {
  /** Seconds that it may be remembered; undefined: that very record goes. */
  ttl?: number;
}

/** What an answer says. */
export interface DnsAnswer {
  id: number;
  code: string;
  /** What is wrong with the signature, where the server says so. */
  signature?: string;
  /** Its records of the types that mail needs, in any section. */
  records: ServedRecord[];
  /** The zone that its SOA record is of. */
  zone?: string;
}

/** A question, without recursion: what the server itself knows. */
export const question = (id: number, name: string, type: "SOA" | RecordType): Buffer =>
  Buffer.concat([header(id, 0, [1, 0, 0, 0]), nameBytes(name), numbers(TYPES[type], CLASSES.IN)]);

/**
 * An update of a zone, which a server makes as a whole or not at all; not yet signed.
 *
 * @param changes what goes before what comes, where the one takes the other's place
 */
export function update(id: number, zone: string, changes: readonly RecordChange[]): Buffer {
  return Buffer.concat([
    header(id, UPDATE, [1, 0, changes.length, 0]),
    ...[nameBytes(zone), numbers(TYPES.SOA, CLASSES.IN)],
    ...changes.flatMap(({ name, type, value, ttl }) => {
      const data = dataBytes(type, value);
      const kind = numbers(TYPES[type], ttl === undefined ? CLASSES.NONE : CLASSES.IN);
      return [nameBytes(name), kind, long(ttl ?? 0), numbers(data.length), data];
    }),
  ]);
}

/**
 * The message with its signature (RFC 8945 §4.3).
 *
 * @param now seconds since the epoch
 */
export function signed(message: Buffer, { name, algorithm, secret }: TsigKey, now: number): Buffer {
  const [key, method] = [nameBytes(name), nameBytes(algorithm)];
  const time = Buffer.alloc(8);
  time.writeUIntBE(now, 0, 6);
  time.writeUInt16BE(FUDGE, 6);
  const anyClass = Buffer.concat([numbers(CLASSES.ANY), long(0)]);
  const variables = Buffer.concat([key, anyClass, method, time, numbers(0, 0)]);
  const hash = algorithm.replace(/^hmac-/, "");
  const mac = createHmac(hash, secret).update(message).update(variables).digest();
  const id = message.subarray(0, 2);
  const data = Buffer.concat([method, time, numbers(mac.length), mac, id, numbers(0, 0)]);
  const record = [key, numbers(TYPES.TSIG), anyClass, numbers(data.length), data];
  const counted = Buffer.from(message);
  counted.writeUInt16BE(counted.readUInt16BE(10) + 1, 10);
  return Buffer.concat([counted, ...record]);
}

/** A record of a message, of any type. */
export interface MessageRecord {
  /** In lower case, without the dot at its end. */
  name: string;
  /** Its number. */
  type: number;
  /** Where its data begins in the message, to which names in it may lead back, and its length. */
  at: number;
  length: number;
}

/** What every answer has. */
export interface MessageHead {
  id: number;
  code: string;
  /** In any section. */
  records: MessageRecord[];
}

/** @throws RangeError for what is no whole message */
export function readMessage(message: Buffer): MessageHead {
  const [questions = 0, ...counts] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  const records: MessageRecord[] = [];
  let at = 12;
  for (let i = 0; i < questions; i++) at = skipName(message, at) + 4;
  for (let i = 0; i < counts.reduce((sum, count) => sum + count, 0); i++) {
    const name = readName(message, at).toLowerCase();
    at = skipName(message, at);
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 8)];
    records.push({ name, type, at: at + 10, length });
    at += 10 + length;
  }
  return {
    id: message.readUInt16BE(0),
    code: nameOf(RCODES, message.readUInt16BE(2) & 0xf),
    records,
  };
}

/** @throws RangeError for what is no whole message */
export function readAnswer(message: Buffer): DnsAnswer {
  const { records, ...head } = readMessage(message);
  const answer: DnsAnswer = { ...head, records: [] };
  for (const { name, type, at, length } of records) {
    const known = KNOWN.get(type);
    if (known !== undefined)
      answer.records.push({ name, type: known, value: readData(known, message, at, length) });
    if (type === TYPES.SOA) answer.zone = name;
    if (type === TYPES.TSIG) {
      const data = message.subarray(at, at + length);
      // Algorithm, 8 bytes of time, the signature's length, itself, 2 bytes of id, the error.
      const mac = skipName(data, 0) + 8;
      const error = data.readUInt16BE(mac + 2 + data.readUInt16BE(mac) + 2);
      if (error !== 0) answer.signature = nameOf(SIGNATURES, error);
    }
  }
  return answer;
}

const header = (id: number, flags: number, counts: readonly number[]) => numbers(id, flags, ...counts);

const nameOf = (names: Readonly<Record<number, string>>, code: number) => names[code] ?? `code ${code}`;
