import { UserError } from "../lib/errors.ts";
import { LOGIN_KEY_LIFETIME, loginKey } from "../lib/tailnet/login-key.ts";

/** How the Tailscale API is reached; the same variables as the provider's. */
export interface ApiAccess {
  baseUrl: string;
  tailnet: string;
  authorization: string;
}

const DEADLINE_MS = 15_000;

/**
 * Access from the environment: TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID with
 * TAILSCALE_OAUTH_CLIENT_SECRET; TAILSCALE_BASE_URL (default https://api.tailscale.com) and
 * TAILSCALE_TAILNET (default "-", the credential's own).
 *
 * @throws UserError when no credential is set or the service refuses it
 */
export async function apiAccess(env: NodeJS.ProcessEnv): Promise<ApiAccess> {
  const baseUrl = (env["TAILSCALE_BASE_URL"] || "https://api.tailscale.com").replace(/\/$/, "");
  const tailnet = env["TAILSCALE_TAILNET"] || "-";
  const key = env["TAILSCALE_API_KEY"];
  if (key) return { baseUrl, tailnet, authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` };
  const id = env["TAILSCALE_OAUTH_CLIENT_ID"];
  const secret = env["TAILSCALE_OAUTH_CLIENT_SECRET"];
  if (!id || !secret) {
    throw new UserError("no credential for the Tailscale API", {
      hint: "set TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET",
    });
  }
  const answer = await fetch(`${baseUrl}/api/v2/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: id, client_secret: secret, grant_type: "client_credentials" }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!answer.ok) throw new UserError(`the Tailscale API refuses the OAuth client (HTTP ${answer.status})`);
  const token = (await answer.json()) as { access_token: string };
  return { baseUrl, tailnet, authorization: `Bearer ${token.access_token}` };
}

/**
 * Asks the API; `path` is below /api/v2. `missing` stands for what is not found, which is an error
 * otherwise.
 */
async function call(access: ApiAccess, path: string, init: RequestInit, missing?: string): Promise<string> {
  const url = `${access.baseUrl}/api/v2/${path}`;
  const headers = { authorization: access.authorization, ...(init.headers as Record<string, string>) };
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (cause) {
    throw new UserError(`the Tailscale API at ${access.baseUrl} does not answer`, { cause });
  }
  const body = await answer.text();
  if (answer.status === 404 && missing !== undefined) return missing;
  if (!answer.ok)
    throw new UserError(
      `the Tailscale API answers ${path} with HTTP ${answer.status}: ${body.slice(0, 300)}`,
    );
  return body;
}

/** The live policy file, byte for byte. */
export function livePolicy(access: ApiAccess): Promise<string> {
  return call(access, `tailnet/${access.tailnet}/acl`, { headers: { accept: "application/hujson" } });
}

/**
 * Has the control server evaluate policy tests; the failures, or none. It answers 200 either way.
 */
export async function failedTests(access: ApiAccess, tests: unknown[]): Promise<string[]> {
  const body = await call(access, `tailnet/${access.tailnet}/acl/validate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(tests),
  });
  const result = (body.trim() ? JSON.parse(body) : {}) as {
    message?: string;
    data?: { user?: string; errors?: string[] }[];
  };
  if (!result.message) return [];
  const details = (result.data ?? []).flatMap(({ user, errors }) =>
    (errors ?? []).map((e) => `${user ?? "?"}: ${e}`),
  );
  return details.length > 0 ? details : [result.message];
}

/** A device, as far as tailwart looks at it. */
export interface Device {
  /** The API's preferred id. */
  nodeId: string;
  /** MagicDNS name in full, such as stalwart-1.tail7b1641.ts.net. */
  name: string;
  /** What the machine calls itself. */
  hostname: string;
  /** On the tailnet: IPv4, then IPv6. */
  addresses: string[];
  tags?: string[];
  /** Whether it holds a connection to the control server. */
  connectedToControl?: boolean;
}

/** Every device of the tailnet. Needs the scope devices:core:read. */
export async function listDevices(access: ApiAccess): Promise<Device[]> {
  const body = await call(access, `tailnet/${access.tailnet}/devices`, {});
  return (JSON.parse(body) as { devices: Device[] }).devices;
}

/** Removes a device from the tailnet. Needs the scope devices:core. */
export async function deleteDevice(access: ApiAccess, nodeId: string): Promise<void> {
  await call(access, `device/${encodeURIComponent(nodeId)}`, { method: "DELETE" });
}

/** Gives a device its MagicDNS name. Needs the scope devices:core. */
export async function renameDevice(access: ApiAccess, nodeId: string, name: string): Promise<void> {
  await call(access, `device/${encodeURIComponent(nodeId)}/name`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
}

/**
 * Whether somebody can still log in with a key. One that is spent, was revoked or has expired is
 * called invalid, or is no longer there (terraform-provider-tailscale, resource_tailnet_key.go).
 * Needs the scope auth_keys:read.
 */
export async function isKeyGood(access: ApiAccess, id: string): Promise<boolean> {
  const path = `tailnet/${access.tailnet}/keys/${encodeURIComponent(id)}`;
  const key = JSON.parse(await call(access, path, {}, '{"invalid":true}')) as { invalid?: boolean };
  return key.invalid !== true;
}

/** Makes a login key for a persistent node. Needs the scope auth_keys. */
export async function makeLoginKey(access: ApiAccess, tag: string): Promise<string> {
  const body = await call(access, `tailnet/${access.tailnet}/keys`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      capabilities: { devices: { create: loginKey(tag) } },
      expirySeconds: LOGIN_KEY_LIFETIME,
      description: "tailwart renewed",
    }),
  });
  return (JSON.parse(body) as { key: string }).key;
}
