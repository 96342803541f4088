import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

const OPENSSL = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
/** A self-signed certificate and its key in one, as a server has before its first real one. */
const pem = execFileSync("openssl", [...OPENSSL, "-keyout", "-", "-subj", "/CN=mail.lab.test"], {
  stdio: ["ignore", "pipe", "ignore"],
}).toString();

/**
 * A fake of Stalwart's submission listener, as loopback sees it with the rules of
 * lib/desired-state/submission.ts: without a login it takes what has no sender and goes to a domain
 * that cannot exist (smtp/src/inbound: ehlo.rs, mail.rs, rcpt.rs of stalwart-lite 0.16.0).
 */
export class FakeSubmission {
  /** Commands, in order. */
  readonly commands: string[] = [];
  readonly messages: string[] = [];
  /** How it answers MAIL. */
  mailAnswer = "250 2.1.0 OK";
  readonly implicitTls: boolean;
  /** Called with the recipient of a message that is taken. */
  taken: (recipient: string) => void = () => undefined;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();

  constructor(implicitTls = true) {
    this.implicitTls = implicitTls;
  }

  /** @param port one that is free, or any */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Of the last message. */
  get recipient(): string {
    const last = this.commands.findLast((command) => command.startsWith("RCPT"));
    return /<(.*)>/.exec(last ?? "")?.[1] ?? "";
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const first = this.implicitTls ? encrypted(socket) : socket;
    first.write("220 mail.lab.test ESMTP at your service\r\n");
    this.#serve(first);
  }

  #serve(socket: Socket): void {
    const secure = socket instanceof TLSSocket;
    let sender = "";
    let data = false;
    let text = "";
    const say = (...lines: string[]) => void socket.write(lines.map((line) => `${line}\r\n`).join(""));
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (;;) {
        const end = text.indexOf(data ? "\r\n.\r\n" : "\r\n");
        if (end === -1) return;
        const part = text.slice(0, end);
        text = text.slice(end + (data ? 5 : 2));
        if (data) {
          this.messages.push(part);
          data = false;
          this.taken(this.recipient);
          say("250 2.0.0 Message queued");
          continue;
        }
        this.commands.push(part);
        const verb = part.split(/[ :]/)[0]?.toUpperCase();
        if (verb === "EHLO")
          say("250-mail.lab.test", "250-8BITMIME", secure ? "250 AUTH PLAIN LOGIN" : "250 STARTTLS");
        else if (verb === "STARTTLS" && !secure) {
          say("220 2.0.0 Ready");
          socket.removeAllListeners("data");
          return this.#serve(encrypted(socket));
        } else if (verb === "MAIL") {
          sender = /<(.*?)>/.exec(part)?.[1] ?? "";
          say(this.mailAnswer);
        } else if (verb === "RCPT") {
          const relayed = sender === "" && /\.invalid>$/.test(part);
          say(relayed ? "250 2.1.5 OK" : "550 5.1.2 Relay not allowed");
        } else if (verb === "DATA") {
          data = true;
          say("354 Start mail input");
        } else if (verb === "QUIT") socket.end("221 2.0.0 Bye\r\n");
        else say("503 5.5.1 Command not allowed");
      }
    });
  }
}

const encrypted = (socket: Socket): TLSSocket =>
  new TLSSocket(socket, { isServer: true, key: pem, cert: pem });
