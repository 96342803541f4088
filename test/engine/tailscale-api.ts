import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the control server saw it. */
export interface Call {
  method: string;
  path: string;
  ifMatch: string | undefined;
  body: string;
  authorization: string | undefined;
}

/**
 * A control server of a few lines: the policy file and auth keys of Tailscale's API v2, in memory.
 */
export interface TailscaleApi {
  url: string;
  calls: Call[];
  policy: string;
  /** Whether the policy file is still the untouched default. */
  untouched: boolean;
  keys: Map<string, Record<string, unknown>>;
  close(): void;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

export async function startTailscaleApi(): Promise<TailscaleApi> {
  const keys: TailscaleApi["keys"] = new Map();
  let last = 0;
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const answer = (status: number, value: unknown): void => {
        response.writeHead(status, { "content-type": "application/json", etag: '"0"' });
        response.end(typeof value === "string" ? value : JSON.stringify(value));
      };
      const path = (request.url ?? "").replace("/api/v2", "");
      const { method = "" } = request;
      const ifMatch = request.headers["if-match"];
      api.calls.push({ method, path, ifMatch, body, authorization: request.headers.authorization });
      const id = /^\/tailnet\/-\/keys\/(\w+)$/.exec(path)?.[1];
      if (path === "/tailnet/-/acl" && method === "GET") answer(200, api.policy);
      else if (path === "/tailnet/-/acl" && ifMatch === '"ts-default"' && !api.untouched)
        answer(412, { message: "precondition failed, invalid old hash" });
      else if (path === "/tailnet/-/acl" && body.includes("failing test"))
        answer(400, {
          message: "test(s) failed",
          data: [{ user: "tag:a", errors: ['address "b:1": want: Drop'] }],
        });
      else if (path === "/tailnet/-/acl") {
        api.policy = body === "" ? "{}" : body;
        api.untouched = body === "";
        answer(200, api.policy);
      } else if (path === "/tailnet/-/keys" && method === "POST") {
        const made = `k${++last}`;
        keys.set(made, {
          id: made,
          keyType: "auth",
          ...(JSON.parse(body) as object),
          created: "2026-01-01T00:00:00Z",
        });
        answer(200, { ...keys.get(made), key: `tskey-auth-${made}-SECRET` });
      } else if (id && method === "DELETE" && keys.delete(id)) answer(200, {});
      else if (id && keys.has(id)) answer(200, keys.get(id));
      else answer(404, { message: "not found" });
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const api: TailscaleApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    policy: "{}",
    untouched: true,
    keys,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return api;
}
