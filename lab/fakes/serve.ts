import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:https";

/** What a fake's process is told: where it listens, and with which certificate. */
export interface Listen {
  host: string;
  port: number;
  /** Folder with key.pem and cert.pem. */
  certificate: string;
}

/** What a fake answers. */
export interface Answer {
  status: number;
  headers?: Record<string, string | string[]>;
  /** Sent as JSON; without it the answer has no body. */
  json?: unknown;
}

/** What a fake is asked. */
export interface Question {
  method: string;
  /** With its query. */
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

/** Ends the handling of a question with an answer that is none of success. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(JSON.stringify(answer));
    this.answer = answer;
  }
}

/** What `handle` answers, or refuses with. */
export function answering(handle: () => Answer): Answer {
  try {
    return handle();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

/**
 * Reads the process' configuration, whose file is its one argument.
 *
 * @throws Error when there is none
 */
export function configuration<T>(): T {
  const [, program, file] = process.argv;
  if (file === undefined) {
    console.error(`usage: node ${program} CONFIG.json`);
    process.exit(2);
  }
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

/** Serves over TLS until it is told to end; each line of its log has the time. */
export function serve({ host, port, certificate }: Listen, answer: RequestListener): void {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(`${certificate}/${name}`));
  const server = createServer({ key, cert }, answer);
  server.on("error", (error) => {
    console.error(`cannot listen on ${host}:${port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(port, host, () => log(`listening on ${host}:${port}`));
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.on(name, () => {
      server.close(() => process.exit(0));
      server.closeAllConnections();
    });
}

export const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

export function send(response: ServerResponse, { status, headers = {}, json }: Answer): void {
  const body = json === undefined ? "" : JSON.stringify(json);
  const type = json === undefined ? {} : { "content-type": "application/json" };
  response.writeHead(status, { ...type, ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
