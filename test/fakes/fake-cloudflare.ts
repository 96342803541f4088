/**
 * A fake of Cloudflare's API v4, as far as it is about the records of zones.
 *
 * Known from its reference (https://developers.cloudflare.com/api/resources/dns/): paths, pages,
 * the envelope of answers, the order in a batch; its page on batches (one transaction, 200 records
 * in a free zone, propagation that is not atomic); dnscontrol (providers/cloudflare/rest.go) and
 * libdns/cloudflare (client.go, models.go), which work with the real one: a token's header, 50
 * zones a page, SRV and CAA in `data`, a root target ".", texts in quotes. Error codes that no page
 * lists are as users have met them; `error_chain` has the cause of a 1004.
 */
import { isIPv6 } from "node:net";

import { type Answer, answering, type Question, Refusal } from "../../lab/fakes/serve.ts";

export interface CloudflareToken {
  token: string;
  permissions: readonly ("Zone Read" | "DNS Read" | "DNS Write")[];
}

export interface CloudflareRecord {
  id: string;
  type: string;
  name: string;
  content: string;
  ttl: number;
  priority?: number;
  proxied: boolean;
  data?: Record<string, unknown>;
}

/** A name alone is not unique: accounts have it, and what went elsewhere keeps it a while. */
export interface CloudflareZone {
  id: string;
  name: string;
  status: "initializing" | "pending" | "active" | "moved";
}

type Body = Record<string, unknown>;

const MOST_IN_BATCH = 200;
/** The parts that a type's `data` has. */
const DATA: Record<string, readonly string[]> = {
  SRV: ["priority", "weight", "port", "target"],
  CAA: ["flags", "tag", "value"],
};

class ApiRefusal extends Refusal {
  constructor(status: number, code: number, message: string, cause?: { code: number; message: string }) {
    const errors = [{ code, message, ...(cause && { error_chain: [cause] }) }];
    super({ status, json: { success: false, errors, messages: [], result: null } });
  }
}
const invalid = (code: number, message: string) =>
  new ApiRefusal(400, 1004, "DNS Validation Error", { code, message });

export class FakeCloudflare {
  /** Called whenever the servers show something else: a batch gets there record by record. */
  onShown: () => void = () => {};
  readonly #tokens: readonly CloudflareToken[];
  readonly #known: readonly CloudflareZone[];
  /** Zone's id → id → record: what is stored, and what the servers show. */
  readonly #zones: Map<string, Map<string, CloudflareRecord>>;
  readonly #shown: Map<string, Map<string, CloudflareRecord>>;
  #made = 0;

  /** @param zones a name alone is one that is active */
  constructor(tokens: readonly CloudflareToken[], zones: readonly (string | CloudflareZone)[]) {
    this.#tokens = tokens;
    this.#known = zones.map((zone) =>
      typeof zone === "string" ? { id: idOf(zone), name: zone, status: "active" } : zone,
    );
    this.#zones = new Map(this.#known.map(({ id }) => [id, new Map()]));
    this.#shown = new Map(this.#known.map(({ id }) => [id, new Map()]));
  }

  shown(zone: string, id = idOf(zone)): CloudflareRecord[] {
    return [...(this.#shown.get(id)?.values() ?? [])];
  }

  answer(question: Question): Answer {
    return answering(() => this.#handle(question));
  }

  #handle({ method, url, headers, body }: Question): Answer {
    const { pathname, searchParams } = new URL(url, "https://api.cloudflare.com");
    const permissions = this.#permissionsOf(headers["authorization"]);
    const [, id, rest = ""] = /^\/client\/v4\/zones(?:\/(\w+)\/dns_records(\/.*)?)?$/.exec(pathname) ?? [];
    if (id === undefined && pathname !== "/client/v4/zones")
      throw new ApiRefusal(
        404,
        7003,
        `Could not route to ${pathname}, perhaps your object identifier is invalid?`,
      );
    const needed = id === undefined ? "Zone Read" : method === "GET" ? "DNS Read" : "DNS Write";
    if (!permissions.includes(needed)) throw new ApiRefusal(403, 10000, "Authentication error");
    if (id === undefined) return page(this.#known, searchParams, 50);
    const zone = this.#known.find((each) => each.id === id);
    if (!zone) throw new ApiRefusal(403, 10000, "Authentication error");
    if (method === "GET") return page([...(this.#zones.get(id)?.values() ?? [])], searchParams, 5_000_000);
    if (method !== "POST" || (rest !== "" && rest !== "/batch"))
      throw new ApiRefusal(405, 10405, "Method not allowed for this authentication scheme");
    const content = JSON.parse(body) as Body;
    return success(this.#batch(zone, rest === "/batch" ? content : { posts: [content] }));
  }

  /** 9109 for a token that nobody has; one that is no token at all is 400, 6003. */
  #permissionsOf(header: unknown): CloudflareToken["permissions"] {
    const [, given] = /^Bearer ([\w-]+)$/.exec(String(header)) ?? [];
    if (given === undefined)
      throw new ApiRefusal(400, 6003, "Invalid request headers", {
        code: 6111,
        message: "Invalid format for Authorization header",
      });
    const found = this.#tokens.find(({ token }) => token === given);
    if (!found) throw new ApiRefusal(403, 9109, "Invalid access token");
    return found.permissions;
  }

  /** Deletes, patches, puts, posts: all or none. */
  #batch({ id, name }: CloudflareZone, batch: Body): Body {
    const [deletes, puts, posts] = ["deletes", "puts", "posts"].map((step) => (batch[step] ?? []) as Body[]);
    if (!deletes || !puts || !posts) throw new Error("three steps");
    if (deletes.length + puts.length + posts.length > MOST_IN_BATCH)
      throw new ApiRefusal(400, 1004, `a batch has at most ${MOST_IN_BATCH} records`);
    const stored = this.#zones.get(id) ?? new Map<string, CloudflareRecord>();
    const after = new Map(stored);
    const known = (record: Body): string => {
      if (!after.has(String(record["id"]))) throw new ApiRefusal(404, 81044, "Record does not exist.");
      return String(record["id"]);
    };
    for (const body of deletes) after.delete(known(body));
    for (const body of puts) put(after, name, known(body), body);
    for (const body of posts) put(after, name, (++this.#made).toString(16).padStart(32, "0"), body);
    this.#zones.set(id, after);
    this.#show(id, stored, after);
    return { deletes, puts, posts };
  }

  /** One by one, and what is new first: the order that shows most at once. */
  #show(zone: string, before: Map<string, CloudflareRecord>, after: Map<string, CloudflareRecord>): void {
    const shown = this.#shown.get(zone);
    const added = [...after].filter(([id]) => !before.has(id));
    const changed = [...after].filter(([id, record]) => before.has(id) && before.get(id) !== record);
    for (const [id, record] of [...added, ...changed]) {
      shown?.set(id, record);
      this.onShown();
    }
    for (const id of before.keys()) if (!after.has(id) && shown?.delete(id)) this.onShown();
  }
}

const idOf = (zone: string) => Buffer.from(zone).toString("hex").padEnd(32, "0").slice(0, 32);
const success = (result: unknown, more: object = {}): Answer => ({
  status: 200,
  json: { success: true, errors: [], messages: [], result, ...more },
});

function page(all: readonly unknown[], query: URLSearchParams, most: number): Answer {
  const number = Number(query.get("page") ?? 1);
  const size = Number(query.get("per_page") ?? Math.min(100, most));
  if (!(number >= 1) || !(size >= 1 && size <= most))
    throw new ApiRefusal(400, 1002, `per_page must be from 1 to ${most}`);
  const result = all.slice((number - 1) * size, number * size);
  const info = { page: number, per_page: size, count: result.length, total_count: all.length };
  return success(result, { result_info: info });
}

/** @throws Refusal for what is no record */
function put(after: Map<string, CloudflareRecord>, zone: string, id: string, body: Body): void {
  const { type, ttl = 1, priority, proxied = false, data } = body;
  if (typeof type !== "string" || !["A", "AAAA", "MX", "TXT", "SRV", "CAA", "CNAME"].includes(type))
    throw invalid(9004, `DNS record type "${String(type)}" is invalid.`);
  const name = String(body["name"]).toLowerCase();
  if (!`.${name}`.endsWith(`.${zone}`)) throw invalid(9000, "DNS name is invalid.");
  if (ttl !== 1 && !(Number(ttl) >= 60 && Number(ttl) <= 86_400))
    throw invalid(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
  if (type === "MX" && typeof priority !== "number") throw invalid(9100, "priority is required.");
  for (const part of DATA[type] ?? [])
    if ((data as Body | undefined)?.[part] === undefined)
      throw invalid(9101, `${part} is a required data field.`);
  const content = contentOf(type, body);
  const record = { id, type, name, content, ttl: Number(ttl), proxied: Boolean(proxied) };
  for (const other of after.values()) {
    if (other.id === id || other.name !== name) continue;
    if (other.type === type && other.content === content && other.priority === priority)
      throw new ApiRefusal(400, 81058, "An identical record already exists.");
    if ((type === "CNAME") !== (other.type === "CNAME"))
      throw new ApiRefusal(400, 81054, "A CNAME record with that host already exists.");
  }
  after.set(id, {
    ...record,
    ...(typeof priority === "number" && { priority }),
    ...(data !== undefined && { data: data as Body }),
  });
}

function contentOf(type: string, { content, data }: Body): string {
  if (DATA[type]) return Object.values(data as Body).join(" ");
  const text = String(content ?? "");
  if (type === "A" && !/^(\d{1,3}\.){3}\d{1,3}$/.test(text))
    throw invalid(9005, "Content for A record must be a valid IPv4 address.");
  if (type === "AAAA" && !isIPv6(text))
    throw invalid(9006, "Content for AAAA record must be a valid IPv6 address.");
  if (text === "") throw invalid(9020, "Invalid content.");
  if (type === "TXT") return /^"/.test(text) ? text : `"${text}"`;
  return text.replace(/\.$/, "");
}
