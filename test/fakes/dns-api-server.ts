import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { type Answer, bodyOf, type Question, send } from "../../lab/fakes/serve.ts";

/** As a provider answers, or what stands in the way of it: `text` is sent as it is. */
export type ApiAnswer = Answer & { text?: string };

/** A fake DNS provider on loopback, as unkind as networks and busy services are. */
export class DnsApiServer {
  /** Milliseconds that each request takes to get there, and its answer to come back. */
  latency = 0;
  /** Seconds that the next requests are told to wait, a 429 each. */
  readonly throttled: number[] = [];
  /** How many requests that write are let through before one is cut off, done or not. */
  cutAfter: { writes: number; done: boolean } | undefined;
  /** `METHOD path`, in order. */
  readonly asked: string[] = [];
  readonly #answer: (question: Question) => ApiAnswer;
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(answer: (question: Question) => ApiAnswer) {
    this.#answer = answer;
  }

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The requests since the last call that were to change something. */
  writes(): string[] {
    return this.asked.splice(0).filter((each) => !each.startsWith("GET"));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const body = await bodyOf(request);
    this.asked.push(`${method} ${url}`);
    await sleep(this.latency);
    const wait = this.throttled.shift();
    if (wait !== undefined)
      return send(response, { status: 429, headers: { "retry-after": String(wait) }, json: {} });
    const isCut = method !== "GET" && this.cutAfter !== undefined && this.cutAfter.writes-- === 0;
    if (isCut && !this.cutAfter?.done) return void response.destroy();
    const answer = this.#answer({ method, url, headers, body });
    await sleep(this.latency);
    if (isCut) return void response.destroy();
    if (answer.text === undefined) send(response, answer);
    else response.writeHead(answer.status, answer.headers).end(answer.text);
  }
}
