import { type AddressInfo, createServer, type Socket } from "node:net";
import { runInThisContext } from "node:vm";

import { afterEach, expect, test } from "vitest";

import { refusing } from "../../../lab/impostor.ts";
import { SmtpSession } from "../../../lab/mail/smtp-session.ts";

const server = createServer();
afterEach(() => void server.close());

test("a relay's impostor greets, and answers each recipient with its line", async () => {
  const answer = runInThisContext(refusing("451 4.3.0 try again later")) as (socket: Socket) => void;
  server.on("connection", answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const session = new SmtpSession({ host: "127.0.0.1", port, secure: false }, "127.0.0.1");
  expect(await session.begin(undefined)).toBeUndefined();
  const mail = { from: "alice@lab.test", to: "friend@recipients.test", text: "Subject: hello" };
  expect(await session.send(mail)).toEqual({ code: 451, text: "451 4.3.0 try again later" });
  expect(session.stage).toBe("rcpt");
  session.close();
});
