import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";

import type { Stage } from "./ledger.ts";

export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte. */
  secure: boolean;
  auth?: { user: string; pass: string };
}

export interface Mail {
  from: string;
  to: string;
  /** With its headers; no line begins with a dot. */
  text: string;
}

export interface Reply {
  code: number;
  text: string;
}

/** Patience for one reply. Milliseconds. */
const PATIENCE = 30_000;

/** A session ended before its reply. */
export class NoReply extends Error {}

/**
 * A session that tells how far it came, which nodemailer does not: whether a message was sent to
 * its end before the connection broke decides whether it may be there twice.
 */
export class SmtpSession {
  stage: Stage = "connect";
  /** Messages that the server has replied to. */
  sent = 0;
  readonly #server: SmtpServer;
  readonly #localAddress: string;
  #socket: Socket | undefined;
  #buffer = "";
  #ended: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(server: SmtpServer, localAddress: string) {
    this.#server = server;
    this.#localAddress = localAddress;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#ended === undefined;
  }

  /**
   * Says hello and logs in, at the first of the host's addresses that replies. They are tried in a
   * random order, as a sender does with those of an MX (RFC 5321 §5.1).
   *
   * @returns the reply that refuses, or undefined when the session stands
   * @throws Error when there is no reply at any of them
   */
  async begin(auth: SmtpServer["auth"]): Promise<Reply | undefined> {
    const found = await lookup(this.#server.host, { all: true, family: 4 });
    let last: unknown;
    for (const { address } of shuffled(found)) {
      this.#dial(address);
      try {
        return await this.#hello(auth);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  #dial(address: string): void {
    this.#socket?.destroy();
    const { host, port, secure } = this.#server;
    const where = { host: address, port, localAddress: this.#localAddress };
    // Until a certificate is issued Stalwart's is self-signed; this sender only counts.
    const socket = secure
      ? tlsConnect({ ...where, servername: host, rejectUnauthorized: false } as object)
      : connect(where);
    this.#socket = socket;
    this.#buffer = "";
    this.#ended = undefined;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      this.#buffer += text;
      this.#wake();
    });
    // One that was given up has a last word.
    const end = (error: Error) => {
      if (this.#socket !== socket) return;
      this.#ended ??= error;
      this.#wake();
    };
    socket.on("error", end);
    socket.on("close", () => end(new NoReply("the connection was closed")));
  }

  async #hello(auth: SmtpServer["auth"]): Promise<Reply | undefined> {
    this.stage = "greeting";
    const greeting = await this.#reply();
    if (greeting.code !== 220) return greeting;
    const hello = await this.#ask("ehlo", "EHLO client.senders.test");
    if (hello.code !== 250) return hello;
    if (!auth) return undefined;
    const login = Buffer.from(`\0${auth.user}\0${auth.pass}`).toString("base64");
    const answer = await this.#ask("auth", `AUTH PLAIN ${login}`);
    return answer.code === 235 ? undefined : answer;
  }

  /** Hands one message over. @returns the reply that decides. @throws Error when there is none */
  async send({ from, to, text }: Mail): Promise<Reply> {
    const mail = await this.#ask("mail", `MAIL FROM:<${from}>`);
    if (mail.code !== 250) return this.#refused(mail);
    const rcpt = await this.#ask("rcpt", `RCPT TO:<${to}>`);
    if (rcpt.code !== 250) return this.#refused(rcpt);
    const data = await this.#ask("data", "DATA");
    if (data.code !== 354) return this.#refused(data);
    const body = await this.#ask("body", `${text}\r\n.`);
    this.sent++;
    return body;
  }

  close(): void {
    if (this.isOpen) this.#socket?.end("QUIT\r\n");
    setTimeout(() => this.#socket?.destroy(), 1_000).unref();
  }

  /** Leaves the session as it was before the message. */
  async #refused(reply: Reply): Promise<Reply> {
    const { stage } = this;
    await this.#ask(stage, "RSET").catch(() => undefined);
    this.stage = stage;
    this.sent++;
    return reply;
  }

  #ask(stage: Stage, line: string): Promise<Reply> {
    this.stage = stage;
    if (this.isOpen) this.#socket?.write(`${line}\r\n`);
    return this.#reply();
  }

  async #reply(): Promise<Reply> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const whole = /^(?:(\d{3})-[^\r\n]*\r?\n)*(\d{3})(?: [^\r\n]*)?\r?\n/.exec(this.#buffer);
      if (whole) {
        this.#buffer = this.#buffer.slice(whole[0].length);
        const text = whole[0].trim().replaceAll(/\r?\n/g, " / ");
        return { code: Number(whole[2]), text: text.slice(0, 300) };
      }
      if (this.#ended) throw this.#ended;
      const left = deadline - Date.now();
      if (left <= 0) {
        this.#socket?.destroy();
        throw new NoReply(`no reply within ${PATIENCE / 1000} s`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
