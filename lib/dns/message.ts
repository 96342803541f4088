/**
 * DNS messages of the few kinds that try a key: a question, and an update with a signature (RFC
 * 1035, RFC 2136, RFC 8945). Pure.
 */
import { createHmac } from "node:crypto";

const TYPES = { SOA: 6, TXT: 16, TSIG: 250 } as const;
const CLASSES = { IN: 1, NONE: 254, ANY: 255 } as const;
const UPDATE = 5 << 11;
/** How long the record may be remembered, and how far clocks may differ. Seconds. */
const [TTL, FUDGE] = [1, 300];

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

/** A key that signs. */
export interface TsigKey {
  name: string;
  /** Such as hmac-sha256. */
  algorithm: string;
  secret: Buffer;
}

/** What an answer says. */
export interface DnsAnswer {
  id: number;
  code: string;
  /** What is wrong with the signature, where the server says so. */
  signature?: string;
  /** Texts of TXT records in its answer. */
  texts: string[];
  /** The zone that its SOA record is of. */
  zone?: string;
}

/** A question, without recursion: what the server itself knows. */
export const question = (id: number, name: string, type: "SOA" | "TXT"): Buffer =>
  Buffer.concat([header(id, 0, [1, 0, 0, 0]), nameBytes(name), numbers(TYPES[type], CLASSES.IN)]);

/** An update that adds one TXT record to a zone, or takes that very one away; not yet signed. */
export function update(id: number, zone: string, name: string, value: string, remove: boolean): Buffer {
  const text = Buffer.from(value, "ascii");
  const data = Buffer.concat([Buffer.from([text.length]), text]);
  return Buffer.concat([
    header(id, UPDATE, [1, 0, 1, 0]),
    ...[nameBytes(zone), numbers(TYPES.SOA, CLASSES.IN)],
    ...[nameBytes(name), numbers(TYPES.TXT, remove ? CLASSES.NONE : CLASSES.IN), long(remove ? 0 : TTL)],
    ...[numbers(data.length), data],
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

/** @throws RangeError for what is no whole message */
export function readAnswer(message: Buffer): DnsAnswer {
  const [questions = 0, ...records] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  const answer: DnsAnswer = {
    id: message.readUInt16BE(0),
    code: nameOf(RCODES, message.readUInt16BE(2) & 0xf),
    texts: [],
  };
  let at = 12;
  for (let i = 0; i < questions; i++) at = skipName(message, at) + 4;
  for (let i = 0; i < records.reduce((sum, count) => sum + count, 0); i++) {
    const owner = at;
    at = skipName(message, at);
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 8)];
    const data = message.subarray(at + 10, at + 10 + length);
    if (type === TYPES.TXT) answer.texts.push(textOf(data));
    if (type === TYPES.SOA) answer.zone = readName(message, owner);
    if (type === TYPES.TSIG) {
      // Algorithm, 8 bytes of time, the signature's length, itself, 2 bytes of id, the error.
      const mac = skipName(data, 0) + 8;
      const error = data.readUInt16BE(mac + 2 + data.readUInt16BE(mac) + 2);
      if (error !== 0) answer.signature = nameOf(SIGNATURES, error);
    }
    at += 10 + length;
  }
  return answer;
}

const header = (id: number, flags: number, counts: readonly number[]) => numbers(id, flags, ...counts);

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** In lower case, as what is signed must be. */
function nameBytes(name: string): Buffer {
  const labels = name.toLowerCase().split(".").filter(Boolean);
  const bytes = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...bytes, Buffer.from([0])]);
}

/** Where a name ends; one that goes on elsewhere ends with two bytes that say where. */
function skipName(message: Buffer, at: number): number {
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}

function readName(message: Buffer, at: number): string {
  const labels: string[] = [];
  // Each pointer leads back, so that no name goes on for ever.
  for (let end = message.length; ;) {
    const length = message.readUInt8(at);
    if (length === 0) return labels.join(".");
    if (length >= 0xc0) {
      const next = message.readUInt16BE(at) & 0x3fff;
      if (next >= end) throw new RangeError("a name leads forward");
      end = at = next;
      continue;
    }
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
}

/** The strings of a TXT record as one. */
function textOf(data: Buffer): string {
  let text = "";
  for (let at = 0; at < data.length; at += 1 + data.readUInt8(at))
    text += data.toString("latin1", at + 1, at + 1 + data.readUInt8(at));
  return text;
}

const nameOf = (names: Readonly<Record<number, string>>, code: number) => names[code] ?? `code ${code}`;
