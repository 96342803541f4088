/**
 * A fake of Spaceship's DNS API, which is out of reach: what it takes and what it refuses, as the
 * real one does.
 *
 * Known from https://docs.spaceship.dev (paths, headers, permissions, `take` and `skip`), from
 * Namecheap's own client, whose acceptance tests run against the real service
 * (github.com/namecheap/go-spaceship-sdk, client/dns.go and dns_acc_test.go: PUT adds, a record is
 * known by type, name and data, 500 items a request, an absent record's DELETE is 404;
 * client/records: which values the service takes, of a DELETE as well), and from
 * lego (providers/dns/spaceship/internal: DELETE takes a bare array; the form of an error). The
 * words of its 401 and 403 are not documented: `detail` says what is known.
 */
import { timingSafeEqual } from "node:crypto";

import { type Answer, answering, type Question, Refusal } from "./serve.ts";

/** One of the account's keys. */
export interface ApiKey {
  key: string;
  secret: string;
  scopes: readonly ("dnsrecords:read" | "dnsrecords:write")[];
}

/** A record as the API has it; which field holds its data depends on its type. */
export interface ResourceRecord {
  type: string;
  name: string;
  ttl?: number;
  [field: string]: unknown;
}

/** Where each type that mail needs keeps its data, the value first. */
const DATA: Readonly<Record<string, readonly string[]>> = {
  A: ["address"],
  AAAA: ["address"],
  CNAME: ["cname"],
  MX: ["exchange", "preference"],
  TXT: ["value"],
  CAA: ["flag", "tag", "value"],
  TLSA: ["usage", "selector", "matching", "associationData"],
  SRV: ["service", "protocol", "priority", "weight", "port", "target"],
};
/** What a field's value must be, by type. */
const RULES: readonly [type: string, field: string, is: (value: unknown) => boolean, must: string][] = [
  ["TXT", "value", (value) => String(value).trim() !== "", "Value field is required"],
  ["MX", "exchange", (value) => isHost(value), "is not a valid domain name"],
  ["SRV", "target", (value) => isHost(value), "is not a valid domain name"],
  ["SRV", "port", (value) => Number(value) >= 1 && Number(value) <= 65_535, "must be from 1 to 65535"],
  ["SRV", "service", (value) => /^_[a-zA-Z0-9-]+$/.test(String(value)), "must begin with _"],
  ["SRV", "protocol", (value) => /^_[a-zA-Z0-9-]+$/.test(String(value)), "must begin with _"],
  ["CAA", "flag", (value) => value === 0 || value === 128, "must be 0 or 128"],
  ["CAA", "tag", (value) => /^(issue|issuewild|iodef)$/.test(String(value)), "is no tag"],
];
/** Neither the root nor with a dot at its end. */
const isHost = (value: unknown): boolean => /^[\w-]+(\.[\w-]+)*$/.test(String(value));
const MOST_ITEMS = 500;
const PATH = /^\/api\/v1\/dns\/records\/([^/]+)$/;

class ApiRefusal extends Refusal {
  constructor(status: number, detail: string, data?: { field: string; details: string }[]) {
    super({ status, json: { detail, ...(data && { data }) } });
  }
}

/** The zones of one account. */
export class Spaceship {
  readonly #keys: readonly ApiKey[];
  readonly #zones: ReadonlyMap<string, Map<string, ResourceRecord>>;

  constructor(keys: readonly ApiKey[], domains: readonly string[]) {
    this.#keys = keys;
    this.#zones = new Map(domains.map((domain) => [domain, new Map()]));
  }

  /** A domain's records, in the order in which they were added. */
  records(domain: string): ResourceRecord[] {
    return [...(this.#zones.get(domain)?.values() ?? [])];
  }

  answer(question: Question): Answer {
    return answering(() => this.#handle(question));
  }

  #handle({ method, url, headers, body }: Question): Answer {
    const { pathname, searchParams } = new URL(url, "https://spaceship.dev");
    const scopes = this.#scopesOf(headers["x-api-key"], headers["x-api-secret"]);
    const domain = PATH.exec(pathname)?.[1];
    if (domain === undefined) throw new ApiRefusal(404, "no such resource");
    if (!["GET", "PUT", "DELETE"].includes(method)) throw new ApiRefusal(405, `${method} is not allowed`);
    const needed = method === "GET" ? "dnsrecords:read" : "dnsrecords:write";
    if (!scopes.includes(needed)) throw new ApiRefusal(403, `the API key lacks the permission ${needed}`);
    const zone = this.#zones.get(domain);
    if (!zone) throw new ApiRefusal(404, `the account has no domain ${domain}`);
    if (method === "GET") return list(zone, searchParams);
    const content = parse(body);
    if (method === "PUT") return put(zone, content as { force?: unknown; items?: unknown });
    return remove(zone, content);
  }

  /** Of the key; one that nobody has, or with another secret, is no key. */
  #scopesOf(key: unknown, secret: unknown): ApiKey["scopes"] {
    const found = this.#keys.find((each) => same(each.key, key) && same(each.secret, secret));
    if (!found) throw new ApiRefusal(401, "application.unauthorized");
    return found.scopes;
  }
}

function list(zone: Map<string, ResourceRecord>, query: URLSearchParams): Answer {
  const number = (name: string, least: number, most: number): number => {
    const value = query.get(name);
    if (value !== null && /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most)
      return Number(value);
    throw invalid(name, `must be a number from ${least} to ${most}`);
  };
  const [take, skip] = [number("take", 1, MOST_ITEMS), number("skip", 0, 2 ** 31 - 1)];
  const all = [...zone.values()];
  const items = all.slice(skip, skip + take).map((record) => ({ ...record, group: { type: "custom" } }));
  return { status: 200, json: { items, total: all.length } };
}

/** Adds what is not there yet. With the same data only the TTL can be another. */
function put(zone: Map<string, ResourceRecord>, content: { force?: unknown; items?: unknown }): Answer {
  if (content.force !== undefined && typeof content.force !== "boolean")
    throw invalid("force", "must be a boolean");
  const items = recordsIn(content.items, "items");
  const after = new Map(zone);
  for (const record of items) {
    const others = [...after.values()].filter(({ name }) => sameName(name, record.name));
    // A name that is an alias has no other record (RFC 1034, 3.6.2); `force` puts the new one in
    // its place.
    const clashing = others.filter(
      (other) => keyOf(other) !== keyOf(record) && (other.type === "CNAME" || record.type === "CNAME"),
    );
    if (clashing.length > 0 && content.force !== true)
      throw invalid("items", `${record.type} ${record.name} conflicts with a record of that name`);
    for (const other of clashing) after.delete(keyOf(other));
    after.set(keyOf(record), { ttl: 3600, ...record });
  }
  zone.clear();
  for (const [key, record] of after) zone.set(key, record);
  return { status: 204 };
}

function remove(zone: Map<string, ResourceRecord>, content: unknown): Answer {
  const keys = recordsIn(content, "body").map(keyOf);
  if (!keys.every((key) => zone.has(key))) throw new ApiRefusal(404, "there is no such record");
  for (const key of keys) zone.delete(key);
  return { status: 204 };
}

/** @throws Refusal unless it is an array of records, each with all of its data */
function recordsIn(list: unknown, field: string): ResourceRecord[] {
  if (!Array.isArray(list)) throw invalid(field, "must be an array");
  if (list.length === 0 || list.length > MOST_ITEMS)
    throw invalid(field, `must have 1 to ${MOST_ITEMS} items`);
  return list.map((item: unknown, i) => {
    const record = item as ResourceRecord;
    const data = DATA[record.type];
    if (!data) throw invalid(`${field}[${i}].type`, "is no type of record");
    if (typeof record.name !== "string" || record.name === "")
      throw invalid(`${field}[${i}].name`, "is required");
    for (const name of data)
      if (record[name] === undefined) throw invalid(`${field}[${i}].${name}`, "is required");
    for (const [type, name, is, must] of RULES)
      if (type === record.type && !is(record[name])) throw invalid(`${field}[${i}].${name}`, must);
    if (record.ttl !== undefined && !(Number(record.ttl) >= 60 && Number(record.ttl) <= 3600))
      throw invalid(`${field}[${i}].ttl`, "must be from 60 to 3600");
    return record;
  });
}

/** By what a record is known: its type, its name, and its data, where only TXT's has a case. */
function keyOf(record: ResourceRecord): string {
  const data = (DATA[record.type] ?? []).map((field) => String(record[field])).join(" ");
  const text = record.type === "TXT" ? data : data.toLowerCase();
  return `${record.type} ${record.name.toLowerCase()} ${text}`;
}

function parse(body: string): unknown {
  try {
    const content: unknown = JSON.parse(body);
    if (typeof content === "object" && content !== null) return content;
  } catch {
    // Said below.
  }
  throw new ApiRefusal(400, "the body is no JSON");
}

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
const invalid = (field: string, details: string) =>
  new ApiRefusal(422, "the request is invalid", [{ field, details }]);

function same(known: string, given: unknown): boolean {
  if (typeof given !== "string" || given.length !== known.length) return false;
  return timingSafeEqual(Buffer.from(known), Buffer.from(given));
}
