// As much of DNS as it takes to write a record by RFC 2136 with a key of RFC 8945, and to read it
// back.
import { createHmac } from "node:crypto";

export const TYPES = { SOA: 6, TXT: 16, TSIG: 250 } as const;
const IN = 1;
const NONE = 254;
const ANY = 255;
const UPDATE = 5 << 11;

/** A key that signs updates. */
export interface TsigKey {
  name: string;
  /** @example "hmac-sha256" */
  algorithm: string;
  secret: Buffer;
}

/** What an answer says. */
export interface Answer {
  id: number;
  /** @example "NOERROR" */
  code: string;
  /** Records of all sections but the question's. */
  records: { name: string; type: number; data: Buffer }[];
}

/** A question for one name. */
export function question(id: number, name: string, type: number): Buffer {
  return Buffer.concat([header(id, 0, [1, 0, 0, 0]), wireName(name), int16(type), int16(IN)]);
}

/** One TXT record to be added, or to be taken away beside what else has its name. */
export interface Change {
  verb: "add" | "delete";
  name: string;
  text: string;
}

/**
 * An update of a zone by one record.
 *
 * @param now what the signature is dated, in seconds since the epoch
 */
export function update(
  id: number,
  zone: string,
  { verb, name, text }: Change,
  key: TsigKey,
  now: number,
): Buffer {
  const data = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const [kind, ttl] = verb === "add" ? [IN, 60] : [NONE, 0];
  const record = [wireName(name), int16(TYPES.TXT), int16(kind), int32(ttl), int16(data.length), data];
  const body = Buffer.concat([wireName(zone), int16(TYPES.SOA), int16(IN), ...record]);
  const counts = (more: number) => header(id, UPDATE, [1, 0, 1, more]);
  const algorithm = wireName(key.algorithm);
  const time = Buffer.alloc(6);
  time.writeUIntBE(now, 0, 6);
  const fudge = int16(300);
  // RFC 8945 §4.3.3: error and other data are empty.
  const variables = [wireName(key.name), int16(ANY), int32(0), algorithm, time, fudge, int16(0), int16(0)];
  const mac = createHmac(key.algorithm.replace("hmac-", ""), key.secret)
    .update(Buffer.concat([counts(0), body, ...variables]))
    .digest();
  const signature = Buffer.concat([
    algorithm,
    time,
    fudge,
    int16(mac.length),
    mac,
    int16(id),
    int16(0),
    int16(0),
  ]);
  const tsig = [
    wireName(key.name),
    int16(TYPES.TSIG),
    int16(ANY),
    int32(0),
    int16(signature.length),
    signature,
  ];
  return Buffer.concat([counts(1), body, ...tsig]);
}

/** Names of RFC 1035, 2136 and 8945; NOTAUTH stands for a key that is not known or does not fit. */
const CODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
];

/** @throws Error for what is no message of DNS */
export function readAnswer(message: Buffer): Answer {
  if (message.length < 12) throw new Error("the answer is no message of DNS");
  const code = message.readUInt16BE(2) & 15;
  const [questions = 0, ...rest] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  let at = 12;
  for (let count = 0; count < questions; count++) at = nameAt(message, at).end + 4;
  const records: Answer["records"] = [];
  for (let count = rest.reduce((a, b) => a + b, 0); count > 0; count--) {
    const { name, end } = nameAt(message, at);
    const length = message.readUInt16BE(end + 8);
    const data = message.subarray(end + 10, end + 10 + length);
    records.push({ name, type: message.readUInt16BE(end), data });
    at = end + 10 + length;
  }
  return { id: message.readUInt16BE(0), code: CODES[code] ?? `RCODE ${code}`, records };
}

/** @example textOf(Buffer.from("\u0002ab\u0001c")) === "abc" */
export function textOf(data: Buffer): string {
  let text = "";
  for (let at = 0; at < data.length; at += 1 + (data[at] ?? 0))
    text += data.toString("latin1", at + 1, at + 1 + (data[at] ?? 0));
  return text;
}

/** A name, with what it points to (RFC 1035 §4.1.4), and where it ends. */
function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (let steps = 0; steps < 128; steps++) {
    const length = message.readUInt8(at);
    if (length >= 192) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    else {
      labels.push(message.toString("latin1", at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
  }
  throw new Error("the answer has a name without an end");
}

/** In lower case, as signatures have names. */
const wireName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .toLowerCase()
      .split(".")
      .filter(Boolean)
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function header(id: number, flags: number, counts: [number, number, number, number]): Buffer {
  return Buffer.concat([int16(id), int16(flags), ...counts.map(int16)]);
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
