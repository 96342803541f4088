/**
 * What a zone's signatures hang on (RFC 4034): its keys, how its parent vouches for one of them,
 * and when the signatures end. The signatures themselves are not verified. Pure.
 */
import { createHash } from "node:crypto";

import { type MessageHead, readMessage } from "./message.ts";
import { long, nameBytes, numbers } from "./wire.ts";

/** Types of records, by their numbers. */
export const SIGNED_TYPES = { SOA: 6, DS: 43, DNSKEY: 48 } as const;
const [OPT, RRSIG, IN] = [41, 46, 1];

/** A zone's key (RFC 4034 §2). */
export interface ZoneKey {
  tag: number;
  algorithm: number;
  /** All of its data, of which digests are made. */
  data: Buffer;
}

/** A key of a zone below, as the parent vouches for it (RFC 4034 §5). */
export interface Delegation {
  tag: number;
  algorithm: number;
  digestType: number;
  digest: Buffer;
}

/** A signature over the records of one type (RFC 4034 §3), without what it says. */
export interface Signature {
  /** Number of the type that is signed. */
  covers: number;
  tag: number;
  from: Date;
  until: Date;
}

/** What an answer says of a zone's signatures. */
export interface SignedAnswer extends Pick<MessageHead, "id" | "code"> {
  /** The zone that its SOA record is of. */
  zone?: string;
  delegations: Delegation[];
  keys: ZoneKey[];
  signatures: Signature[];
}

/**
 * A question for what is signed, with its signatures (RFC 3225), over TCP.
 *
 * A resolver is asked for what it would hold back, too, where it finds the signatures wrong
 * (RFC 4035 §3.2.2): why it would is what is looked for.
 */
export function signedQuestion(id: number, name: string, type: keyof typeof SIGNED_TYPES): Buffer {
  const [recursionDesired, checkingDisabled] = [0x0100, 0x0010];
  const head = numbers(id, recursionDesired | checkingDisabled, 1, 0, 0, 1);
  // A message's size says nothing over TCP; the flag DO stands in what is a TTL elsewhere.
  const options = Buffer.concat([Buffer.alloc(1), numbers(OPT, 1232), long(0x8000), numbers(0)]);
  return Buffer.concat([head, nameBytes(name), numbers(SIGNED_TYPES[type], IN), options]);
}

/** @throws RangeError for what is no whole message */
export function readSignedAnswer(message: Buffer): SignedAnswer {
  const { id, code, records } = readMessage(message);
  const answer: SignedAnswer = { id, code, delegations: [], keys: [], signatures: [] };
  for (const { name, type, at, length } of records) {
    const data = message.subarray(at, at + length);
    if (type === SIGNED_TYPES.SOA) answer.zone = name;
    if (type === SIGNED_TYPES.DS)
      answer.delegations.push({
        tag: data.readUInt16BE(0),
        algorithm: data.readUInt8(2),
        digestType: data.readUInt8(3),
        digest: data.subarray(4),
      });
    // Bit 7 says that it is a zone's (RFC 4034 §2.1.1), bit 8 that it is revoked (RFC 5011 §7).
    if (type === SIGNED_TYPES.DNSKEY && (data.readUInt16BE(0) & 0x0180) === 0x0100)
      answer.keys.push({ tag: tagOf(data), algorithm: data.readUInt8(3), data });
    if (type === RRSIG)
      answer.signatures.push({
        covers: data.readUInt16BE(0),
        tag: data.readUInt16BE(16),
        from: new Date(data.readUInt32BE(12) * 1000),
        until: new Date(data.readUInt32BE(8) * 1000),
      });
  }
  return answer;
}

/** A key's tag, by which signatures and digests name it (RFC 4034 appendix B). */
export function tagOf(data: Buffer): number {
  const sum = data.reduce((all, byte, at) => all + (at % 2 === 0 ? byte << 8 : byte), 0);
  return (sum + (sum >> 16)) & 0xffff;
}

/** Digests of RFC 8624 §3.3 that resolvers compute. */
const DIGESTS: Readonly<Record<number, string>> = { 1: "sha1", 2: "sha256", 4: "sha384" };
/** Algorithms of RFC 8624 §3.1 that resolvers verify. */
const ALGORITHMS: ReadonlySet<number> = new Set([5, 7, 8, 10, 13, 14, 15, 16]);

/** Whether resolvers act on it: without one a zone counts as unsigned (RFC 4035 §5.2). */
export const isKnown = ({ algorithm, digestType }: Delegation): boolean =>
  digestType in DIGESTS && ALGORITHMS.has(algorithm);

/** Whether the parent vouches for this very key of the zone (RFC 4034 §5.1.4). */
export function vouchesFor(delegation: Delegation, zone: string, key: ZoneKey): boolean {
  const { tag, algorithm, digestType, digest } = delegation;
  const hash = DIGESTS[digestType];
  if (tag !== key.tag || algorithm !== key.algorithm || hash === undefined) return false;
  return createHash(hash).update(nameBytes(zone)).update(key.data).digest().equals(digest);
}
