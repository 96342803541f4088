import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { authenticate, authorize, issueToken } from "./access.ts";
import { ApiError } from "./api-error.ts";
import { Devices } from "./devices.ts";
import { HeadscaleApi, HeadscaleError } from "./headscale-api.ts";
import { Keys } from "./keys.ts";
import { Policy } from "./policy.ts";
import { paramsOf, routesOf, type Reply } from "./routes.ts";
import { Store } from "./store.ts";

export interface AdapterOptions {
  /** headscale's URL, such as http://127.0.0.1:8080. */
  headscale: string;
  /** File with headscale's own API key. */
  headscaleKeyFile: string;
  /** File with the key that clients of this API send. */
  apiKeyFile: string;
  /** JSON file for what headscale has no place for. */
  stateFile: string;
  /** The MagicDNS base domain; also the tailnet's name beside `-`. */
  domain: string;
  /** headscale's user who owns the nodes of keys without tags. */
  user: string;
  /** One line for each request: method, path, status. Default: nothing is logged. */
  log?: (line: string) => void;
}

/** A policy file of the real service has at most a few hundred kilobytes. */
const LONGEST_BODY = 2 * 1024 * 1024;

/**
 * The part of the Tailscale API that @pulumi/tailscale and tailscaled's login with an OAuth secret
 * call, answered by headscale 0.29. What the real service refuses is refused, with its status and
 * words where they are known.
 *
 * @see https://tailscale.com/api
 */
export async function createAdapter(options: AdapterOptions): Promise<Server> {
  const headscale = new HeadscaleApi(options.headscale, options.headscaleKeyFile);
  const store = await Store.open(options.stateFile);
  const policy = new Policy(headscale);
  const keys = new Keys(headscale, policy, store, options.user);
  const devices = new Devices(headscale, policy, options.domain);
  const routes = routesOf({ policy, keys, devices, store });

  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://adapter");
    answer(request, url)
      .catch((error: unknown): Reply => errorReply(error, options.log))
      .then((reply) => {
        send(response, reply);
        options.log?.(`${request.method} ${url.pathname} ${reply.status ?? 200}`);
      })
      .catch((error: unknown) => {
        options.log?.(`${request.method} ${url.pathname} failed: ${String(error)}`);
        response.destroy();
      });
  });

  async function answer(request: IncomingMessage, url: URL): Promise<Reply> {
    const body = await readBody(request);
    if (url.pathname === "/api/v2/oauth/token" && request.method === "POST") {
      return { json: await issueToken(new URLSearchParams(body), request.headers.authorization, store) };
    }
    const actor = await authenticate(request.headers.authorization, options.apiKeyFile, store);
    const matching = routes.flatMap((route) => {
      const params = paramsOf(route[1], url.pathname, ["-", options.domain]);
      return params ? [{ route, params }] : [];
    });
    const found = matching.find(({ route }) => route[0] === request.method);
    if (!found)
      throw matching.length > 0 ? new ApiError(405, "method not allowed") : new ApiError(404, "not found");
    const [, , scopes, handle] = found.route;
    if (scopes.length > 0) authorize(actor, scopes, request.method === "GET");
    return handle({ actor, params: found.params, query: url.searchParams, request, body });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new ApiError(413, "request body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function errorReply(error: unknown, log: AdapterOptions["log"]): Reply {
  if (error instanceof ApiError)
    return {
      status: error.status,
      json: { message: error.message, ...(error.data && { data: error.data }) },
    };
  log?.(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  if (error instanceof HeadscaleError)
    return { status: 502, json: { message: `the control server answered: ${error.message}` } };
  return { status: 500, json: { message: "internal error" } };
}

function send(response: ServerResponse, { status = 200, headers = {}, text, json: value }: Reply): void {
  const body = text ?? JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    ...headers,
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
