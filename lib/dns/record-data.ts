/** The data of records, in bytes and in the words of a zone file; a text as it is, in no quotes. */
import { ipv6Bytes, ipv6Of } from "../address-ranges.ts";
import { type RecordData, textStrings } from "./record.ts";
import { nameBytes, numbers, readName } from "./wire.ts";

/** Types that mail needs, by their numbers (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 8659). */
export const TYPE_NUMBERS = { A: 1, MX: 15, TXT: 16, AAAA: 28, SRV: 33, CAA: 257 } as const;
export type RecordType = keyof typeof TYPE_NUMBERS;

const bare = (name: string) => name.replace(/\.$/, "");

/**
 * A value's parts.
 *
 * @param value as {@link readData} gives it
 * @throws RangeError for what is no data of the type
 * @example partsOf("MX", "10 a.org.") // { type: "MX", preference: 10, exchange: "a.org" }
 */
export function partsOf(type: RecordType, value: string): RecordData {
  const words = value.split(" ");
  const [first = 0, second = 0, third = 0] = words.map(Number);
  switch (type) {
    case "A":
    case "AAAA":
      return { type, address: value };
    case "MX":
      return { type, preference: first, exchange: bare(words[1] ?? "") };
    case "SRV":
      return { type, priority: first, weight: second, port: third, target: bare(words[3] ?? "") };
    case "TXT":
      return { type, text: value };
    case "CAA": {
      const [, flags = "", tag = "", text = ""] = /^(\d+) (\w+) "(.*)"$/.exec(value) ?? [];
      if (tag === "") throw new RangeError("this is no data of a CAA record");
      return { type, flags: Number(flags), tag, value: text };
    }
  }
}

/**
 * @param value as {@link readData} gives it
 * @throws RangeError for what is no data of the type
 * @example dataBytes("MX", "10 mail.example.org.")
 */
export function dataBytes(type: RecordType, value: string): Buffer {
  const parts = partsOf(type, value);
  switch (parts.type) {
    case "A":
      return Buffer.from(parts.address.split(".").map(Number));
    case "AAAA":
      return ipv6Bytes(parts.address);
    case "MX":
      return Buffer.concat([numbers(parts.preference), nameBytes(parts.exchange)]);
    case "SRV":
      return Buffer.concat([numbers(parts.priority, parts.weight, parts.port), nameBytes(parts.target)]);
    case "TXT":
      return Buffer.concat(
        textStrings(parts.text).map((text) =>
          Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]),
        ),
      );
    case "CAA":
      return Buffer.concat([
        Buffer.from([parts.flags, parts.tag.length]),
        Buffer.from(parts.tag + parts.value),
      ]);
  }
}

/**
 * A record's data in a message: as `dataOf` writes it, and a text as it is.
 *
 * @param at where it begins in the message, whose names may lead back to others
 */
export function readData(type: RecordType, message: Buffer, at: number, length: number): string {
  const data = message.subarray(at, at + length);
  const nameAt = (from: number) => `${readName(message, at + from).toLowerCase()}.`;
  switch (type) {
    case "A":
      return data.join(".");
    case "AAAA":
      return ipv6Of(data);
    case "MX":
      return `${data.readUInt16BE(0)} ${nameAt(2)}`;
    case "SRV":
      return `${[0, 2, 4].map((from) => data.readUInt16BE(from)).join(" ")} ${nameAt(6)}`;
    case "TXT": {
      let text = Buffer.alloc(0);
      for (let from = 0; from < data.length; from += 1 + data.readUInt8(from))
        text = Buffer.concat([text, data.subarray(from + 1, from + 1 + data.readUInt8(from))]);
      return text.toString();
    }
    case "CAA": {
      const tag = data.readUInt8(1);
      return `${data.readUInt8(0)} ${data.toString("latin1", 2, 2 + tag)} "${data.toString("utf8", 2 + tag)}"`;
    }
  }
}
