import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

import { wordsOf } from "../../lib/errors.ts";
import { type Destination, type Pipe, UnreachableError } from "./pipe.ts";

export interface Question {
  /** How an error calls the request. */
  where: string;
  method: string;
  url: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Milliseconds. */
  deadline: number;
  /**
   * Whether it may be sent again when a kept connection ends before the answer: the server may have
   * done it all the same. A write is never repeated: the next `up` looks what became of it.
   * Default: true for GET alone
   */
  repeatable?: boolean;
}

export interface Answer {
  status: number;
  text: string;
}

/** How long a connection is kept that nobody uses, in milliseconds. */
const IDLE = 30_000;
/** How long one is used at all: the far side ends it after ten minutes, also amid a request. */
const LIFETIME = 300_000;

/** Node's own pool of connections, of one pipe. */
class PipeAgent extends Agent {
  /** What the next request goes over. */
  pipe: Pipe | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    super({ keepAlive: true });
  }

  override createConnection(): Pipe | undefined {
    return this.pipe;
  }

  override keepSocketAlive(pipe: Pipe): boolean {
    this.#idle = setTimeout(() => pipe.destroy(), IDLE).unref();
    super.keepSocketAlive(pipe);
    return true;
  }

  override reuseSocket(pipe: Pipe, request: ClientRequest): void {
    clearTimeout(this.#idle);
    super.reuseSocket(pipe, request);
  }
}

/**
 * Thrown when a kept connection has ended before a word of the answer, as at a restart of the
 * server.
 */
class StaleError extends UnreachableError {}

/**
 * HTTP over a pipe: one connection for many requests, one at a time, since opening one costs a
 * `docker exec` and over ssh several logins. It closes by itself when nobody asks for a while.
 */
export class HttpOverPipe {
  readonly #open: (to: Destination, signal: AbortSignal) => Promise<Pipe>;
  readonly #agent = new PipeAgent();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(open: (to: Destination, signal: AbortSignal) => Promise<Pipe>) {
    this.#open = open;
  }

  /**
   * One request, after those before it.
   *
   * @throws UnreachableError when nothing answers
   */
  ask(question: Question): Promise<Answer> {
    const answer = this.#turn.then(() => this.#ask(question));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the kept connection; the next request makes a new one. */
  close(): void {
    this.#agent.pipe?.destroy();
  }

  async #ask(question: Question): Promise<Answer> {
    const { where, method, deadline, repeatable = method === "GET" } = question;
    const signal = AbortSignal.timeout(deadline);
    try {
      return await this.#send(question, signal).catch((error: unknown) => {
        if (!(error instanceof StaleError && repeatable)) throw error;
        return this.#send(question, signal);
      });
    } catch (error) {
      if (signal.aborted) throw new UnreachableError(`${where}: no answer within ${deadline / 1000} s`);
      if (error instanceof UnreachableError) throw new UnreachableError(`${where}: ${error.message}`);
      throw error;
    }
  }

  async #send({ method, url, body }: Question, signal: AbortSignal): Promise<Answer> {
    const pipe = await this.#connection(new URL(url), signal);
    const sent = request(url, {
      method,
      agent: this.#agent,
      signal,
      headers: {
        authorization: `Basic ${Buffer.from(pipe.login).toString("base64")}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
    });
    let answer: IncomingMessage | undefined;
    try {
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      [answer] = (await once(sent, "response")) as [IncomingMessage];
      return { status: answer.statusCode ?? 0, text: await text(answer) };
    } catch (error) {
      pipe.destroy();
      const reason = `the connection ended before ${answer ? "the end of " : ""}the answer`;
      const said = `${reason} (${pipe.words || wordsOf(error)})`;
      throw sent.reusedSocket && !answer ? new StaleError(said) : new UnreachableError(said);
    }
  }

  async #connection({ hostname, port }: URL, signal: AbortSignal): Promise<Pipe> {
    const { pipe } = this.#agent;
    if (pipe?.writable && Date.now() - pipe.since < LIFETIME) return pipe;
    this.close();
    const host = hostname.replace(/^\[|\]$/g, "");
    return (this.#agent.pipe = await this.#open({ host, port: Number(port || 80) }, signal));
  }
}
