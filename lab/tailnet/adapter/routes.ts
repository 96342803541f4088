import type { IncomingMessage } from "node:http";

import { parse, type ParseError } from "jsonc-parser";

import type { Actor } from "./access.ts";
import { ApiError } from "./api-error.ts";
import type { Devices } from "./devices.ts";
import type { Keys } from "./keys.ts";
import type { Policy } from "./policy.ts";
import type { Store } from "./store.ts";

/** A request of somebody who was let in. */
export interface Call {
  actor: Actor;
  params: string[];
  query: URLSearchParams;
  request: IncomingMessage;
  body: string;
}

export type Reply = { status?: number; headers?: Record<string, string>; text?: string; json?: unknown };
/**
 * Method, path below /api/v2 with `*` for a parameter, the scopes of which one is enough, and what
 * to do.
 */
export type Route = [
  method: string,
  path: string,
  scopes: string[],
  handle: (call: Call) => Promise<Reply> | Reply,
];

/** The part of the API that is answered. */
export function routesOf({
  policy,
  keys,
  devices,
  store,
}: {
  policy: Policy;
  keys: Keys;
  devices: Devices;
  store: Store;
}): Route[] {
  const t = "tailnet/-";
  const document = ({ text, etag }: { text: string; etag: string }, { request }: Call): Reply => {
    const headers = { etag: `"${etag}"`, "content-type": "application/hujson" };
    const wantsJson = request.headers.accept?.includes("application/json") ?? false;
    return wantsJson
      ? { headers: { etag: headers.etag }, json: parse(text, [], { allowTrailingComma: true }) }
      : { headers, text };
  };
  return [
    ["GET", `${t}/acl`, ["policy_file"], async (call) => document(await policy.get(), call)],
    [
      "POST",
      `${t}/acl`,
      ["policy_file"],
      async (call) => document(await policy.set(call.body, call.request.headers["if-match"]), call),
    ],
    // Judging writes nothing, so reading rights are enough.
    [
      "POST",
      `${t}/acl/validate`,
      ["policy_file", "policy_file:read"],
      async ({ body }) => ({ json: await policy.validate(body) }),
    ],
    ["GET", `${t}/keys`, ["auth_keys", "oauth_keys"], () => ({ json: keys.list() })],
    ["POST", `${t}/keys`, [], async ({ body, actor }) => ({ json: await keys.create(json(body), actor) })],
    [
      "GET",
      `${t}/keys/*`,
      ["auth_keys", "oauth_keys"],
      async ({ params: [id = ""] }) => ({ json: await keys.get(id) }),
    ],
    [
      "PUT",
      `${t}/keys/*`,
      [],
      async ({ params: [id = ""], body, actor }) => ({ json: await keys.replace(id, json(body), actor) }),
    ],
    [
      "DELETE",
      `${t}/keys/*`,
      [],
      async ({ params: [id = ""], actor }) => ({ json: (await keys.delete(id, actor)) ?? {} }),
    ],
    ["GET", `${t}/devices`, ["devices:core"], async ({ query }) => ({ json: await devices.list(query) })],
    ["GET", "device/*", ["devices:core"], async ({ params: [id = ""] }) => ({ json: await devices.get(id) })],
    [
      "DELETE",
      "device/*",
      ["devices:core"],
      async ({ params: [id = ""] }) => ({ json: (await devices.delete(id)) ?? {} }),
    ],
    [
      "POST",
      "device/*/*",
      ["devices:core"],
      async ({ params: [id = "", action = ""], body }) => ({
        json: await devices.change(id, action, json(body)),
      }),
    ],
    ["GET", `${t}/dns/preferences`, ["dns"], () => ({ json: { magicDNS: store.state.magicDns } })],
    ["POST", `${t}/dns/preferences`, ["dns"], ({ body }) => setMagicDns(store, json(body))],
    ["GET", `${t}/settings`, ["feature_settings"], () => ({ json: store.state.settings })],
    [
      "PATCH",
      `${t}/settings`,
      ["feature_settings"],
      async ({ body }) => {
        const change = json(body);
        await store.update((state) => Object.assign(state.settings, change));
        return { json: store.state.settings };
      },
    ],
  ];
}

function setMagicDns(store: Store, body: Record<string, unknown>): Reply {
  // headscale has MagicDNS in its configuration file. Saying yes to `false` would be a lie that a
  // test could rest on.
  if (body["magicDNS"] !== true) throw new ApiError(400, "the control server cannot turn MagicDNS off");
  return { json: { magicDNS: store.state.magicDns } };
}

/**
 * The parameters of a path that matches the pattern, or undefined. `-` in a pattern is the tailnet,
 * by any of its names.
 */
export function paramsOf(pattern: string, path: string, tailnets: string[]): string[] | undefined {
  const expected = ["", "api", "v2", ...pattern.split("/")];
  const found = path.split("/");
  if (found.length !== expected.length) return undefined;
  const params: string[] = [];
  for (const [index, part] of expected.entries()) {
    const value = decodeURIComponent(found[index] ?? "");
    if (part === "*") params.push(value);
    else if (part === "-" ? !tailnets.includes(value) : part !== value) return undefined;
  }
  return params;
}

function json(body: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const value: unknown = parse(body, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError(400, "invalid JSON in the request body");
  return value as Record<string, unknown>;
}
