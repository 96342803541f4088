/**
 * Cloudflare's API v4 (https://developers.cloudflare.com/api/resources/dns/subresources/records/).
 * A batch is one transaction there, and yet its records get to the servers one by one
 * (https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/): so one
 * value takes another's place as a PUT of the same record, and there are never two nor none.
 */
import { type SetChange, setOf, valueOf } from "../../lib/dns/record-sets.ts";
import { partsOf, type RecordType, TYPE_NUMBERS } from "../../lib/dns/record-data.ts";
import { canonicalName, type RecordData } from "../../lib/dns/record.ts";
import { nearest } from "../../lib/domain-names.ts";
import { dataOf, textOf } from "../../lib/dns/writers/presentation.ts";
import { UserError } from "../../lib/errors.ts";
import { type ApiAccess, HttpApi } from "./http-api.ts";
import { type ZoneApi, type ZoneRecord } from "./http-writer.ts";

/** Where records are written; not by which token. */
export interface CloudflareAt {
  /** Account of a global API key. Without it the secret is a token. */
  email?: string;
  /** @default https://api.cloudflare.com/client/v4 */
  url?: string;
}

interface Record {
  id: string;
  type: string;
  name: string;
  content: string;
  priority?: number;
  proxied?: boolean;
  data?: { priority: number; weight: number; port: number; target: string } & {
    flags: number;
    tag: string;
    value: string;
  };
}

/** One of several with its name: of other accounts, or from before it went elsewhere. */
interface Zone {
  id: string;
  name: string;
  /** Its servers are asked where it is "active", and nobody asks for one that has "moved". */
  status: string;
}

interface Page<Item> {
  result: Item[];
  result_info: { total_count: number };
}

interface Refusal {
  errors?: { code: number }[];
}

interface Batch {
  deletes: { id: string }[];
  puts: object[];
  posts: object[];
}

/** Zones of one page at most. */
const MOST_ZONES = 50;
const RECORDS = 500;
/** Records of one batch at most, in a zone that costs nothing. */
const MOST = 200;
/** Seconds that a record may be remembered. */
const TTL = 300;
/** Code of a 400 for what is no token at all: "Invalid request headers". */
const MALFORMED = 6003;
/** Cloudflare answers for the name by itself, which no mail gets through. */
const PROXIED = " (proxied)";

export class Cloudflare implements ZoneApi {
  readonly where = "Cloudflare";
  readonly #api: HttpApi;
  /** Name → those that have it. */
  #zones: Promise<Map<string, Zone[]>> | undefined;

  constructor({ email, url = "https://api.cloudflare.com/client/v4" }: CloudflareAt, secret: string) {
    this.#api = new HttpApi({
      where: this.where,
      url,
      headers: (key): ReturnType<ApiAccess["headers"]> =>
        email === undefined
          ? { authorization: `Bearer ${key}` }
          : { "x-auth-email": email, "x-auth-key": key },
      secret,
      scopes: "read the zones and edit their DNS (Zone Read, DNS Write)",
      refusesKey: (body) =>
        (body as Refusal | undefined)?.errors?.some(({ code }) => code === MALFORMED) ?? false,
    });
  }

  async zoneOf(name: string): Promise<string | undefined> {
    const zone = nearest(name, await this.#known());
    // Before anything is written, also where it is another's turn first.
    if (zone !== undefined) await this.#pathOf(zone);
    return zone;
  }

  async list(zone: string): Promise<ZoneRecord[]> {
    const records = await this.#all<Record>(`${await this.#pathOf(zone)}?per_page=${RECORDS}`);
    return records.flatMap((record) => {
      const data = dataIn(record);
      if (!data) return [];
      const value = valueOf(data) + (record.proxied ? PROXIED : "");
      return [{ key: `${canonicalName(record.name)} ${record.type}`, value, id: record.id }];
    });
  }

  async change(zone: string, changes: readonly SetChange[], there: readonly ZoneRecord[]): Promise<void> {
    const batches: Batch[] = [];
    for (const each of changes) {
      const change = inSteps(each, there);
      const last = batches.at(-1);
      // A set is never in two.
      if (!last || sizeOf(last) + sizeOf(change) > MOST) batches.push(change);
      else for (const step of ["deletes", "puts", "posts"] as const) last[step].push(...(change[step] as []));
    }
    const path = `${await this.#pathOf(zone)}/batch`;
    for (const batch of batches) await this.#api.ask("POST", path, batch);
  }

  #known(): Promise<Map<string, Zone[]>> {
    const zones = () => this.#all<Zone>(`/zones?per_page=${MOST_ZONES}`);
    return (this.#zones ??= zones().then((all) => Map.groupBy(all, ({ name }) => name)));
  }

  /** @throws UserError unless it is clear which one of that name is asked by the world */
  async #pathOf(zone: string): Promise<string> {
    const named = (await this.#known()).get(zone) ?? [];
    const active = named.filter(({ status }) => status === "active");
    const [found, other] = active.length > 0 ? active : named;
    if (found && !other) return `/zones/${found.id}/dns_records`;
    const list = named.map(({ id, status }) => `${id} (${status})`).join(", ");
    throw new UserError(`${this.where} has several zones ${zone}: ${list}; nothing tells which is meant`, {
      path: "tailwart:dnsSecret",
      hint: "Give a token for that zone alone (Zone Resources), or delete the other: pulumi config set --secret tailwart:dnsSecret",
    });
  }

  async #all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let page = 1; ; page++) {
      const { body } = await this.#api.ask("GET", `${path}&page=${page}`);
      const { result, result_info: info } = body as Page<Item>;
      items.push(...result);
      if (result.length === 0 || items.length >= info.total_count) return items;
    }
  }
}

const sizeOf = ({ deletes, puts, posts }: Batch) => deletes.length + puts.length + posts.length;

/** What comes takes the place of what goes, one by one; only what is over is added or deleted. */
function inSteps({ key, remove, add }: SetChange, there: readonly ZoneRecord[]): Batch {
  const gone = there.filter((record) => record.key === key && remove.includes(record.value));
  const come = add.map((value) => bodyOf(key, value));
  return {
    deletes: gone.slice(come.length).map(({ id = "" }) => ({ id })),
    puts: gone.slice(0, come.length).map(({ id }, i) => ({ id, ...come[i] })),
    posts: come.slice(gone.length),
  };
}

function bodyOf(key: string, value: string): object {
  const { name, type } = setOf(key);
  const parts = partsOf(type, value);
  const record = { name, type, ttl: TTL };
  switch (parts.type) {
    case "A":
    case "AAAA":
      return { ...record, content: parts.address, proxied: false };
    case "MX":
      return { ...record, content: parts.exchange, priority: parts.preference };
    case "TXT":
      return { ...record, content: dataOf(parts) };
    default: {
      const { type: _, ...data } = parts;
      // The root is a dot, and no other name ends with one.
      return { ...record, data: "target" in data ? { ...data, target: data.target || "." } : data };
    }
  }
}

/** Undefined for a type that no set has. */
function dataIn({ type: written, content, priority = 0, data }: Record): RecordData | undefined {
  const type = written as RecordType;
  if (!(type in TYPE_NUMBERS)) return undefined;
  switch (type) {
    case "A":
    case "AAAA":
      return { type, address: content };
    case "MX":
      return { type, preference: priority, exchange: canonicalName(content) };
    case "TXT":
      return { type, text: textOf(content) };
    case "SRV":
      return data && { type, ...data, target: canonicalName(data.target) };
    case "CAA":
      return data && { type, flags: data.flags, tag: data.tag, value: data.value };
  }
}
