import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** One request that the server got. */
export interface Asked {
  method: string;
  path: string;
  authorization: string | undefined;
  accept: string | undefined;
  body: string;
}

/** `METHOD /path` → what is answered; a plain object is sent as JSON with status 200. */
export type Answers = Record<string, { status?: number; body: string | object }>;

/** A server on loopback that answers like the Tailscale API, and remembers what it was asked. */
export async function startApi(
  answers: Answers,
): Promise<{ url: string; asked: Asked[]; close: () => Promise<void> }> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      const { method = "", url: path = "" } = request;
      const { authorization, accept } = request.headers;
      asked.push({ method, path, authorization, accept, body });
      const answer = answers[`${method} ${path}`] ?? { status: 404, body: { message: "not found" } };
      response.writeHead(answer.status ?? 200);
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
