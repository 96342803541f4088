/**
 * Stalwart's management API of the 0.15 line, as far as tailwart uses it (source: stalwart-lite
 * 0.16.0, http/src/management).
 */
import { UserError } from "../../lib/errors.ts";
import type { Transport } from "../server/transport.ts";
import { LoginError } from "../server/wait-until-ready.ts";

/**
 * Time for one request, in milliseconds. A reload reads all settings again and takes below a
 * second.
 */
const REQUEST_DEADLINE = 20_000;

export type SettingsChange =
  | { type: "insert"; prefix: null; values: [key: string, value: string][]; assert_empty: false }
  | { type: "delete"; keys: string[] };

export interface Principal {
  name: string;
  type: string;
  emails: string[];
  secrets: string[];
  roles: string[];
  disabledPermissions: string[];
  /** Bytes; 0 is no limit. */
  quota: number;
  /** Of a group: names of its accounts. */
  members: string[];
  /** Of a mailing list: whom it goes to besides accounts that are its members. */
  externalMembers: string[];
}

export type PrincipalUpdate =
  | { action: "addItem" | "removeItem"; field: "emails" | "members" | "secrets"; value: string }
  | { action: "set"; field: "disabledPermissions" | "externalMembers"; value: string[] }
  | { action: "set"; field: "quota"; value: number };

/** Thrown for an answer of `{"error":"notFound"}`. */
class NotFoundError extends Error {}

export class StalwartApi {
  readonly transport: Transport;
  readonly #base: string;

  /** @param base as seen from inside the container, such as `http://127.0.0.1:8080` */
  constructor(transport: Transport, base: string) {
    this.transport = transport;
    this.#base = base.replace(/\/$/, "");
  }

  /**
   * One request. An answer that refuses is an error that names path and reason.
   *
   * @returns the answer's `data`
   */
  async request(method: string, path: string, body?: unknown, deadline = REQUEST_DEADLINE): Promise<unknown> {
    const where = `${method} ${path.split("?")[0]} of ${this.transport.name}`;
    const url = this.#base + path;
    const { status, text } = await this.transport.ask({ where, method, url, body, deadline });
    return interpret(where, status, text);
  }

  /** Whether it answers; see Askable. */
  ask(deadline: number): Promise<unknown> {
    return this.request("GET", "/api/settings/keys?keys=server.hostname", undefined, deadline);
  }

  /**
   * Settings by key, and by group: everything at or below each name. Values of the config file come
   * with their macros unexpanded.
   */
  async readSettings(keys: string[], groups: string[]): Promise<Record<string, string>> {
    const query = new URLSearchParams();
    if (keys.length + groups.length > 0) query.set("keys", [...keys, ...groups].join(","));
    if (groups.length > 0) query.set("prefixes", groups.join(","));
    return (await this.request("GET", `/api/settings/keys?${query}`)) as Record<string, string>;
  }

  async writeSettings(changes: SettingsChange[]): Promise<void> {
    await this.request("POST", "/api/settings", changes);
  }

  /**
   * Makes the stored settings effective. Reload is all or nothing: with one wrong setting anywhere,
   * the server keeps its old ones and still answers 200 (common/src/manager/reload.rs).
   *
   * @throws UserError that names each key and reason
   */
  async reload(): Promise<void> {
    const data = (await this.request("GET", "/api/reload")) as {
      errors?: Record<string, { type?: string; error?: string }>;
    };
    const errors = Object.entries(data.errors ?? {});
    if (errors.length === 0) return;
    const lines = errors.map(([key, problem]) => `${key}: ${problem.error ?? problem.type ?? "refused"}`);
    throw new UserError(
      `Stalwart in ${this.transport.name} refused to reload and keeps its old settings:\n  ${lines.join("\n  ")}`,
      { path: errors[0]?.[0] ?? "" },
    );
  }

  /** A domain, account or group by name; undefined when there is none. */
  async principal(name: string): Promise<Principal | undefined> {
    let data: { name: string; type: string } & Record<string, string | string[] | number | undefined>;
    try {
      data = (await this.request("GET", `/api/principal/${encodeURIComponent(name)}`)) as typeof data;
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
    return {
      name: data.name,
      type: data.type,
      emails: many(data["emails"]),
      secrets: many(data["secrets"]),
      roles: many(data["roles"]),
      disabledPermissions: many(data["disabledPermissions"]),
      quota: Number(data["quota"] ?? 0),
      members: many(data["members"]),
      externalMembers: many(data["externalMembers"]),
    };
  }

  async createPrincipal(principal: Record<string, unknown>): Promise<void> {
    await this.request("POST", "/api/principal", principal);
  }

  async deletePrincipal(name: string): Promise<void> {
    await this.request("DELETE", `/api/principal/${encodeURIComponent(name)}`);
  }

  /** What is queued, or what of it is for a domain: each message as the server writes it. */
  async queued(domain?: string): Promise<string[]> {
    const query = new URLSearchParams({ values: "1", ...(domain !== undefined && { to: domain }) });
    const { items } = (await this.request("GET", `/api/queue/messages?${query}`)) as { items: unknown[] };
    return items.map((item) => JSON.stringify(item));
  }

  /**
   * Takes what is queued for a domain out of the queue. By the domain, since the ids are larger
   * than JavaScript's numbers.
   */
  async discard(domain: string): Promise<void> {
    await this.request("DELETE", `/api/queue/messages?${new URLSearchParams({ to: domain })}`);
  }

  async updatePrincipal(name: string, updates: PrincipalUpdate[]): Promise<void> {
    await this.request("PATCH", `/api/principal/${encodeURIComponent(name)}`, updates);
  }
}

function many(value: string | string[] | number | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [String(value)];
}

/**
 * The `data` of an answer. Errors come in two shapes: problem JSON with a status, and 200 with
 * `{"error": …}`.
 */
function interpret(where: string, status: number, body: string): unknown {
  let answer: Record<string, unknown> | undefined;
  try {
    answer = JSON.parse(body) as Record<string, unknown>;
  } catch {
    throw new Error(`${where}: HTTP ${status}, and no JSON`);
  }
  if (status === 401 || status === 403)
    throw new LoginError(`${where}: HTTP ${status}: the API refuses its login`);
  if (status >= 400)
    throw new Error(`${where}: HTTP ${status}: ${String(answer.detail ?? answer.title ?? "no reason")}`);
  if (typeof answer.error === "string") {
    if (answer.error === "notFound") throw new NotFoundError(`${where}: not found: ${String(answer.item)}`);
    const parts = [answer.error, answer.field, answer.value, answer.details, answer.reason, answer.item];
    throw new Error(`${where}: ${parts.filter((part) => typeof part === "string").join(": ")}`);
  }
  return answer.data;
}
