/** Names and numbers as DNS messages have them (RFC 1035 §3.1, §4.1.4). */

/** As 16 bits each. */
export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
}

/** As 32 bits. */
export function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** In lower case, as what is signed must be. */
export function nameBytes(name: string): Buffer {
  const labels = name.toLowerCase().split(".").filter(Boolean);
  const bytes = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...bytes, Buffer.from([0])]);
}

/** Where a name ends; one that goes on elsewhere ends with two bytes that say where. */
export function skipName(message: Buffer, at: number): number {
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}

export function readName(message: Buffer, at: number): string {
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
