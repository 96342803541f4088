import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A DNS server for tests on loopback: knows the names of a table, and can be mute. */
export interface TestDnsServer {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Names that were asked, in order. */
  readonly asked: string[];
  close(): void;
}

const AAAA = 28;
/** RFC 1035 §4.1.1 response codes. */
export const RCODE = { noError: 0, servFail: 2, nxDomain: 3, refused: 5 } as const;

/**
 * What the server says of a name: its AAAA record (16 bytes), a response code, or nothing at all.
 */
export type TestDnsAnswer = { readonly aaaa: readonly number[] } | { readonly rcode: number } | "mute";

/** Starts the server; a name that the table lacks does not exist (NXDOMAIN). */
export async function startDnsServer(table: Readonly<Record<string, TestDnsAnswer>>): Promise<TestDnsServer> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (query, client) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.subarray(at + 1, at + 1 + length).toString("latin1"));
      at += length + 1;
    }
    const name = labels.join(".").toLowerCase();
    asked.push(name);
    const answer = table[name] ?? { rcode: RCODE.nxDomain };
    if (answer === "mute") return;
    const question = query.subarray(12, at + 5);
    const records = "aaaa" in answer && query.readUInt16BE(at + 1) === AAAA ? 1 : 0;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // answer, recursion desired and available
    header.writeUInt16BE(0x8180 | ("rcode" in answer ? answer.rcode : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records, 6);
    const record = Buffer.from([
      0xc0,
      12,
      0,
      AAAA,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      16,
      ...("aaaa" in answer ? answer.aaaa : []),
    ]);
    socket.send(Buffer.concat([header, question, ...(records ? [record] : [])]), client.port, client.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() };
}
