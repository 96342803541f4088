import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ApiError } from "./api-error.ts";
import type { ClientRecord, Store } from "./store.ts";

/** Who asks: the owner of the API key, or an OAuth client with what it was given. */
export interface Actor {
  readonly scopes: readonly string[] | "all";
  /** Of an OAuth client: the keys that it makes carry these tags or tags that these own. */
  readonly tags: readonly string[] | undefined;
}

/** How long an access token is good for. Seconds. */
const TOKEN_LIFETIME = 3600;

const OWNER: Actor = { scopes: "all", tags: undefined };

/**
 * Who sends the request: `Authorization: Basic base64(key + ":")` or `Bearer key`.
 *
 * @throws ApiError 401 when the key is missing, wrong or past its time
 */
export async function authenticate(
  header: string | undefined,
  apiKeyFile: string,
  store: Store,
): Promise<Actor> {
  const secret = secretOf(header);
  if (secret) {
    if (same(secret, (await readFile(apiKeyFile, "utf8")).trim())) return OWNER;
    const token = store.state.tokens.find(({ hash }) => same(hash, hashOf(secret)));
    const client = token && clientOf(store, token.clientId);
    if (token && client && Date.parse(token.expires) > Date.now())
      return { scopes: token.scopes, tags: client.tags };
  }
  throw new ApiError(401, "API token invalid");
}

/**
 * Refuses an actor whose scopes do not hold one of the given: `all`, the scope, or for reading its
 * `:read`.
 */
export function authorize(actor: Actor, scopes: readonly string[], reading: boolean): void {
  if (
    actor.scopes === "all" ||
    actor.scopes.includes("all") ||
    (reading && actor.scopes.includes("all:read"))
  )
    return;
  const held = actor.scopes;
  if (scopes.some((scope) => held.includes(scope) || (reading && held.includes(`${scope}:read`)))) return;
  throw new ApiError(403, "calling actor does not have enough permissions to perform this function");
}

/**
 * The token endpoint: RFC 6749 client credentials, in the form or as HTTP Basic. The secret alone
 * names the client, since tailscaled sends any client id.
 */
export async function issueToken(
  form: URLSearchParams,
  header: string | undefined,
  store: Store,
): Promise<object> {
  const grant = form.get("grant_type");
  if (grant !== null && grant !== "client_credentials")
    throw new ApiError(400, `unsupported grant_type "${grant}"`);
  const secret = form.get("client_secret") ?? basicPassword(header);
  const client = store.state.keys.find(
    (key): key is ClientRecord =>
      key.keyType === "client" && !!secret && same(key.secretHash, hashOf(secret)),
  );
  if (!client) throw new ApiError(401, "API token invalid");
  const asked = (form.get("scope") ?? "").split(" ").filter(Boolean);
  const missing = asked.find((scope) => !client.scopes.includes(scope) && !client.scopes.includes("all"));
  if (missing) throw new ApiError(400, `requested scope "${missing}" is not permitted`);

  const token = `tskey-api-${newId()}-${newSecret()}`;
  const expires = new Date(Date.now() + TOKEN_LIFETIME * 1000).toISOString();
  const scopes = asked.length > 0 ? asked : client.scopes;
  await store.update((state) => {
    state.tokens = state.tokens.filter((old) => Date.parse(old.expires) > Date.now());
    state.tokens.push({ hash: hashOf(token), clientId: client.id, scopes, expires });
  });
  return { access_token: token, token_type: "Bearer", expires_in: TOKEN_LIFETIME, scope: scopes.join(" ") };
}

/** An id in the real service's form, such as `kA1b2C3d4E511CNTRL`. */
export function newId(): string {
  return `k${randomBytes(9).toString("base64url").replace(/[-_]/g, "x")}CNTRL`;
}

export function newSecret(): string {
  return randomBytes(24).toString("base64url").replace(/[-_]/g, "x");
}

export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function clientOf(store: Store, id: string): ClientRecord | undefined {
  return store.state.keys.find((key): key is ClientRecord => key.keyType === "client" && key.id === id);
}

function secretOf(header: string | undefined): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(header ?? "");
  if (bearer) return bearer[1];
  return decodeBasic(header)?.user;
}

function basicPassword(header: string | undefined): string | undefined {
  const password = decodeBasic(header)?.password;
  // RFC 6749 §2.3.1: both parts are form-encoded before they become Basic.
  return password === undefined ? undefined : decodeURIComponent(password.replaceAll("+", " "));
}

function decodeBasic(header: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(header ?? "")?.[1];
  if (!encoded) return undefined;
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { user, password: password.join(":") };
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(hashOf(a)), Buffer.from(hashOf(b))];
  return timingSafeEqual(left, right);
}
