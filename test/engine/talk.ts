/**
 * Words over a socket, for tests of listeners; and SMTP servers with a certificate that nobody
 * vouches for.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, TLSSocket } from "node:tls";

export interface Peer {
  port: number;
  host?: string;
  tls?: boolean;
  /** Milliseconds between an answer and the next line. */
  pause?: number;
}

/**
 * Everything that a peer says until it closes or `milliseconds` after it was last sent something;
 * "" when it closes without a word.
 */
export async function talk(
  { port, host = "127.0.0.1", tls = false, pause = 0 }: Peer,
  lines: readonly string[] = [],
  milliseconds = 1500,
): Promise<string> {
  const socket = tls ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host);
  let answer = "";
  const left = [...lines];
  const next = () => {
    const line = left.shift();
    if (line !== undefined) socket.write(`${line}\r\n`);
  };
  // A PROXY header comes first of all, everything else after an answer.
  if (left[0]?.startsWith("PROXY ") || left[0]?.startsWith("GET ")) next();
  if (left[0]?.startsWith("GET ")) next();
  socket.on("data", (data: Buffer) => {
    answer += data.toString();
    setTimeout(next, pause);
  });
  socket.on("error", () => undefined);
  socket.setTimeout(milliseconds, () => socket.destroy());
  await once(socket, "close");
  return answer;
}

/** Whether somebody listens. */
export async function listens(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  const open = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return open;
}

/** Makes a key and a certificate that nobody vouches for. */
export function selfSigned(directory: string): { key: string; cert: string } {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=nobody.test", "-days", "2"];
  const how = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", ["req", ...how, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key, cert };
}

/**
 * Serves files over HTTPS on loopback, whose certificates Stalwart does not check; others it
 * answers 404.
 */
export async function fileServer() {
  const directory = mkdtempSync(join(tmpdir(), "tailwart-files-"));
  const { key, cert } = selfSigned(directory);
  const credentials = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  const files = new Map<string, string>();
  const asked: string[] = [];
  const server = createHttpsServer(credentials, ({ url = "" }, response) => {
    asked.push(url);
    const file = files.get(url);
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    files,
    asked,
    url: (path: string) => `https://127.0.0.1:${port}${path}`,
    close: () => server.close(),
  };
}

/**
 * An SMTP server with a certificate of its own making. It keeps messages, and what it was told
 * before and after TLS.
 */
export async function tlsSink(address: string, mode: "implicit" | "starttls") {
  const directory = mkdtempSync(join(tmpdir(), "tailwart-sink-"));
  const { key, cert } = selfSigned(directory);
  const credentials = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  const seen = { messages: [] as string[], plain: [] as string[], encrypted: [] as string[] };
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (mode === "implicit") serve(secured(socket), true);
    else serve(socket, false);
  });
  const secured = (socket: Socket) => {
    const tls = new TLSSocket(socket, { isServer: true, ...credentials });
    tls.on("error", () => undefined);
    return tls;
  };
  const serve = (socket: Socket, encrypted: boolean, greet = true) => {
    let data: string | undefined;
    if (greet) socket.write("220 sink ESMTP\r\n");
    socket.on("data", function read(chunk: Buffer) {
      if (data !== undefined) {
        data += chunk.toString();
        if (!data.includes("\r\n.\r\n")) return;
        seen.messages.push(data);
        data = undefined;
        return void socket.write("250 kept\r\n");
      }
      for (const line of chunk.toString().split("\r\n").filter(Boolean)) {
        (encrypted ? seen.encrypted : seen.plain).push(line);
        if (/^EHLO/i.test(line))
          socket.write(`250-sink\r\n250 ${encrypted ? "AUTH PLAIN LOGIN" : "STARTTLS"}\r\n`);
        else if (/^STARTTLS/i.test(line)) {
          socket.off("data", read);
          socket.write("220 go on\r\n");
          serve(secured(socket), true, false);
        } else if (/^AUTH/i.test(line)) socket.write("235 welcome\r\n");
        else if (/^DATA/i.test(line)) {
          data = "";
          socket.write("354 go on\r\n");
        } else if (/^RCPT.*\.invalid>/i.test(line)) socket.write("550 5.1.2 no such domain\r\n");
        else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 sink\r\n");
      }
    });
  };
  server.listen(0, address);
  await once(server, "listening");
  return { ...seen, port: (server.address() as AddressInfo).port, close: () => server.close() };
}
