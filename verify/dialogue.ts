import { once } from "node:events";
import type { Duplex } from "node:stream";
import { connect as startTls, type TLSSocket } from "node:tls";

/** Patience with one answer, in milliseconds. */
const PATIENCE = 9_000;

/** Talks to a mail server, line by line. */
export class Dialogue {
  #stream: Duplex;
  #said = "";
  #ended: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(stream: Duplex) {
    this.#stream = this.#listen(stream);
  }

  #listen(stream: Duplex): Duplex {
    stream.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString("latin1");
      this.#wake();
    });
    const end = (error?: Error) => {
      this.#ended ??= error ?? new Error("the connection was closed without a word");
      this.#wake();
    };
    stream
      .on("error", end)
      .on("end", () => end())
      .on("close", () => end());
    return stream;
  }

  /**
   * What the server says up to a line that matches.
   *
   * @param last how the last line of an answer begins. Default: an SMTP reply's
   * @throws Error with what it said instead, when it ends or nothing comes
   */
  async answer(last = /^\d{3}(?: .*)?$/m, patience = PATIENCE): Promise<string> {
    const until = Date.now() + patience;
    for (;;) {
      const match = last.exec(this.#said.replaceAll("\r", ""));
      if (match && this.#said.includes("\n", match.index)) {
        const text = this.#said.replaceAll("\r", "").trimEnd();
        this.#said = "";
        return text;
      }
      const so = this.#said.trim() === "" ? "" : `; it said: ${this.#said.trim()}`;
      if (this.#ended) throw new Error(this.#ended.message + so);
      const rest = until - Date.now();
      if (rest <= 0) throw new Error(`no answer within ${patience / 1000} s${so}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** Says a line, and hears the answer. */
  ask(line: string, last?: RegExp, patience?: number): Promise<string> {
    this.say(line);
    return this.answer(last, patience);
  }

  say(line: string): void {
    this.#stream.write(`${line}\r\n`);
  }

  /** Goes on in TLS. The certificate is shown, and judged by nobody here. */
  async encrypt(servername: string): Promise<TLSSocket> {
    const plain = this.#stream;
    plain.removeAllListeners("data");
    const secure = await handshake(plain, servername);
    this.#ended = undefined;
    this.#said = "";
    this.#stream = this.#listen(secure);
    return secure;
  }

  /** Takes leave: what is said last is sent before the line is closed. Never throws. */
  async leave(line: string): Promise<void> {
    await this.ask(line, /^.+$/m, 2_000).catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** A TLS handshake over any stream. @throws Error with TLS' own words */
export async function handshake(stream: Duplex, servername: string): Promise<TLSSocket> {
  const secure = startTls({
    socket: stream,
    servername,
    rejectUnauthorized: false,
    ALPNProtocols: [],
  });
  const timer = setTimeout(() => secure.destroy(new Error("no TLS handshake within 9 s")), PATIENCE);
  try {
    await once(secure, "secureConnect");
    return secure;
  } finally {
    clearTimeout(timer);
  }
}
