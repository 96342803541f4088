import { once } from "node:events";
import { createServer, type Server } from "node:net";

import { afterEach, expect, test, vi } from "vitest";

import { SmtpSession } from "../../../../lab/mail/smtp-session.ts";

const addresses = vi.hoisted(() => ({ found: [] as string[] }));
vi.mock("node:dns/promises", () => ({
  lookup: () => Promise.resolve(addresses.found.map((address) => ({ address, family: 4 }))),
}));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that greets, and takes every line for a hello. */
async function greeting(address: string, port = 0, words = `220 ${address}`): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).write(`${words}\r\n`);
    socket.on("data", () => socket.write("250 fine\r\n"));
  });
  servers.push(server);
  server.listen(port, address);
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

const session = (port: number) =>
  new SmtpSession({ host: "mail.lab.test", port, secure: false }, "127.0.0.1");

test("a sender goes on to the host's other address where one is away, whichever it tries first", async () => {
  addresses.found = ["127.0.0.2", "127.0.0.3"];
  const port = await greeting("127.0.0.3");
  for (let n = 0; n < 12; n++) {
    const smtp = session(port);
    expect(await smtp.begin(undefined)).toBeUndefined();
    expect(smtp.isOpen).toBe(true);
    smtp.close();
  }
});

test("it tries them in a random order, so that each has its share", async () => {
  addresses.found = ["127.0.0.2", "127.0.0.3"];
  const port = await greeting("127.0.0.2", 0, "421 127.0.0.2");
  await greeting("127.0.0.3", port, "421 127.0.0.3");
  const replies = new Set<string | undefined>();
  for (let n = 0; n < 40; n++) {
    const smtp = session(port);
    replies.add((await smtp.begin(undefined))?.text);
    smtp.close();
  }
  // 2^-39 for one of them to get none.
  expect([...replies].toSorted()).toEqual(["421 127.0.0.2", "421 127.0.0.3"]);
});

test("where nobody is there, it says why, and a refusal is nothing to go on from", async () => {
  addresses.found = ["127.0.0.2", "127.0.0.3"];
  const port = await greeting("127.0.0.4");
  const smtp = session(port);
  await expect(smtp.begin(undefined)).rejects.toThrow(/ECONNREFUSED/);
  expect(smtp.isOpen).toBe(false);
  smtp.close();
});
