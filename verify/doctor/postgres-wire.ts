// As much of Postgres' protocol as a login and one query take
// (https://www.postgresql.org/docs/current/protocol-flow.html).
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";

/** Postgres' own refusal, with its SQLSTATE. */
export class PostgresError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export interface Login {
  user: string;
  database: string;
  password: string;
}

const PROTOCOL_3 = 196608;
const SSL_REQUEST = 80877103;

/** Asks for TLS; true when the server agrees, and the handshake is to follow. */
export async function agreesToTls(stream: Duplex): Promise<boolean> {
  const request = Buffer.alloc(8);
  request.writeInt32BE(8);
  request.writeInt32BE(SSL_REQUEST, 4);
  stream.write(request);
  const [answer] = (await once(stream, "data")) as [Buffer];
  return answer.toString("latin1", 0, 1) === "S";
}

/**
 * Logs in, asks one query and logs out.
 *
 * @returns the first row's columns as text
 * @throws PostgresError with the server's own words, Error where the line ends
 */
export async function queryOnce(stream: Duplex, login: Login, sql: string): Promise<string[]> {
  const parameters = ["user", login.user, "database", login.database, "application_name", "tailwart doctor"];
  const body = Buffer.concat([int32(PROTOCOL_3), ...parameters.map(text), Buffer.from([0])]);
  stream.write(Buffer.concat([int32(body.length + 4), body]));
  let scram: Scram | undefined;
  let row: string[] = [];
  for await (const { type, data } of messages(stream)) {
    if (type === "E") throw refusal(data);
    if (type === "R") {
      const kind = data.readInt32BE(0);
      if (kind === 3) send(stream, "p", text(login.password));
      if (kind === 5) send(stream, "p", text(md5(login, data.subarray(4, 8))));
      if (kind === 10) {
        scram = new Scram(login.password);
        const first = Buffer.from(scram.first);
        send(stream, "p", Buffer.concat([text("SCRAM-SHA-256"), int32(first.length), first]));
      }
      if (kind === 11 && scram) send(stream, "p", Buffer.from(scram.final(data.toString("utf8", 4))));
      if (kind === 12 && scram && !scram.isServer(data.toString("utf8", 4)))
        throw new Error("the server does not know the password that it was given: it is not Postgres");
    }
    // The first Z stands after the login, the second after the answer.
    if (type === "Z" && row.length > 0) break;
    if (type === "Z") send(stream, "Q", text(sql));
    if (type === "D") row = columns(data);
  }
  send(stream, "X", Buffer.alloc(0));
  if (row.length === 0) throw new Error("the connection ended before an answer");
  return row;
}

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function send(stream: Duplex, type: string, data: Buffer): void {
  stream.write(Buffer.concat([Buffer.from(type), int32(data.length + 4), data]));
}

async function* messages(stream: Duplex): AsyncGenerator<{ type: string; data: Buffer }> {
  let buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 5 && buffer.length >= 1 + buffer.readInt32BE(1)) {
      const end = 1 + buffer.readInt32BE(1);
      yield { type: buffer.toString("latin1", 0, 1), data: buffer.subarray(5, end) };
      buffer = buffer.subarray(end);
    }
  }
}

/** An ErrorResponse: fields of one letter each, M the message, C the SQLSTATE. */
function refusal(data: Buffer): PostgresError {
  const fields = new Map(
    data
      .toString("utf8")
      .split("\0")
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return new PostgresError(fields.get("M") ?? "no reason", fields.get("C") ?? "");
}

/** A DataRow: a count, and for each column its length and text, or -1 for null. */
function columns(data: Buffer): string[] {
  const found: string[] = [];
  for (let at = 2; at < data.length;) {
    const length = data.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? "" : data.toString("utf8", at, at + length));
    at += Math.max(0, length);
  }
  return found;
}

function md5({ user, password }: Login, salt: Buffer): string {
  const hash = (...parts: (string | Buffer)[]) => {
    const made = createHash("md5");
    for (const part of parts) made.update(part);
    return made.digest("hex");
  };
  return `md5${hash(hash(password, user), salt)}`;
}

/** SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side. */
export class Scram {
  readonly #password: string;
  readonly #bare: string;
  #serverSignature = "";

  /** @param nonce printable, at random. Default: 18 bytes */
  constructor(password: string, nonce = randomBytes(18).toString("base64"), user = "") {
    this.#password = password;
    // Postgres takes the user from the startup message.
    this.#bare = `n=${user},r=${nonce}`;
  }

  get first(): string {
    return `n,,${this.#bare}`;
  }

  /** The answer to the server's first message. */
  final(serverFirst: string): string {
    const { r = "", s = "", i = "" } = attributes(serverFirst);
    const salted = pbkdf2Sync(
      this.#password.normalize("NFKC"),
      Buffer.from(s, "base64"),
      Number(i),
      32,
      "sha256",
    );
    const withoutProof = `c=biws,r=${r}`;
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, "Client Key");
    const signature = hmac(createHash("sha256").update(clientKey).digest(), message);
    const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), message).toString("base64");
    return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
  }

  /** Whether the server's last message shows that it knows the password, too. */
  isServer(serverFinal: string): boolean {
    return attributes(serverFinal)["v"] === this.#serverSignature;
  }
}

const hmac = (key: Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** @example attributes("r=abc,i=4096") // { r: "abc", i: "4096" } */
const attributes = (message: string): Record<string, string> =>
  Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
