/**
 * Where a real Stalwart's mail goes in a test: a DNS server, and SMTP servers that keep what they
 * get.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * This machine's own address: Stalwart refuses loopback as a relay. @throws Error when there is
 * none
 */
export function ownAddress(): string {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((i) => i?.family === "IPv4" && !i.internal)?.address;
  if (!own) throw new Error("this test needs an IPv4 address other than loopback");
  return own;
}

/**
 * A DNS server that answers each A question below `.tail.test` with one address, and says of
 * anything else that it does not exist.
 */
export async function nameServer(address: string) {
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (query, peer) => {
    questions++;
    const labels: string[] = [];
    let end = 12;
    while (query[end]) {
      const length = query[end] ?? 0;
      labels.push(query.subarray(end + 1, end + 1 + length).toString());
      end += length + 1;
    }
    const question = query.subarray(12, end + 5);
    const known = labels.join(".").toLowerCase().endsWith(".tail.test");
    const isA = known && query.readUInt16BE(end + 1) === 1;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(known ? 0x8580 : 0x8583, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(isA ? 1 : 0, 6);
    header.writeUInt32BE(0, 8);
    const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]);
    socket.send(Buffer.concat([header, question, ...(isA ? [answer] : [])]), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, questions: () => questions, close: () => socket.close() };
}

export type SmtpSink = Awaited<ReturnType<typeof smtpSink>>;

/**
 * An SMTP server without TLS that keeps what it is sent, and refuses recipients below .invalid, as
 * a smarthost would.
 */
export async function smtpSink(address: string) {
  const messages: string[] = [];
  const commands: string[] = [];
  const sink = createServer((socket) => {
    let data: string | undefined;
    socket.on("error", () => undefined);
    socket.write("220 sink ESMTP\r\n");
    socket.on("data", (chunk) => {
      if (data !== undefined) {
        data += chunk.toString();
        if (!data.includes("\r\n.\r\n")) return;
        messages.push(data);
        data = undefined;
        socket.write("250 kept\r\n");
        return;
      }
      for (const line of chunk.toString().split("\r\n").filter(Boolean)) {
        commands.push(line);
        if (/^DATA/i.test(line)) {
          data = "";
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else if (/^RCPT.*\.invalid>/i.test(line)) socket.write("550 5.1.2 no such domain\r\n");
        else socket.write("250 sink\r\n");
      }
    });
  });
  sink.listen(0, address);
  await once(sink, "listening");
  return {
    messages,
    /** SMTP commands, without what came after DATA. */
    commands,
    port: (sink.address() as AddressInfo).port,
    close: () => sink.close(),
    async received(subject: string): Promise<void> {
      const deadline = Date.now() + 15_000;
      while (!messages.some((message) => message.includes(`Subject: ${subject}`))) {
        if (Date.now() > deadline) throw new Error(`"${subject}" did not arrive`);
        await sleep(50);
      }
    },
  };
}
