/**
 * A fake of deSEC's API, as far as it is about the RRsets of domains.
 *
 * Known from its documentation (https://desec.readthedocs.io, dns/rrsets, dns/domains, rate-limits,
 * auth/tokens): paths, pages by `cursor` and `Link`, a bulk PATCH that is atomic and whose errors
 * are a list in the request's order, the least TTL of a domain, 429 with Retry-After over sliding
 * windows, and tokens whose policy lets them only read. The words of errors are Django REST
 * framework's own, which deSEC is written with.
 */
import { type Answer, answering, type Question, Refusal } from "../../lab/fakes/serve.ts";

export interface DesecToken {
  token: string;
  /** What the token's default policy says. */
  writes: boolean;
}

export interface Rrset {
  subname: string;
  type: string;
  ttl: number;
  records: string[];
}

type Body = Record<string, unknown>;

const PAGE = 500;
const LEAST_TTL = 3600;
/** Requests in how many seconds: `dns_api_cheap`, and `dns_api_per_domain_expensive`. */
const READS = [
  [10, 1],
  [50, 60],
] as const;
const WRITES = [
  [2, 1],
  [15, 60],
  [100, 3600],
  [300, 86_400],
] as const;
/** What a record's content must be, in presentation format. */
const FORMS: Record<string, RegExp> = {
  A: /^(\d{1,3}\.){3}\d{1,3}$/,
  AAAA: /^[0-9a-f:]*:[0-9a-f:]*$/,
  MX: /^\d+ \S*\.$/,
  SRV: /^\d+ \d+ \d+ \S*\.$/,
  CAA: /^\d+ [a-z]+ "[^"]*"$/,
  TXT: /^"(?:[^"\\]|\\.){0,255}"(?: "(?:[^"\\]|\\.){0,255}")*$/,
  CNAME: /^\S*\.$/,
};

const refusal = (status: number, json: unknown, headers: Record<string, string> = {}) =>
  new Refusal({ status, json, headers });

export class FakeDesec {
  readonly #tokens: readonly DesecToken[];
  readonly #domains: ReadonlyMap<string, Map<string, Rrset>>;
  readonly #now: () => number;
  /** What is limited → when it was asked for, in seconds. */
  readonly #asked = new Map<string, number[]>();

  /** @param now seconds; a test has its own clock */
  constructor(tokens: readonly DesecToken[], domains: readonly string[], now = () => Date.now() / 1000) {
    this.#tokens = tokens;
    this.#domains = new Map(domains.map((domain) => [domain, new Map()]));
    this.#now = now;
  }

  rrsets(domain: string): Rrset[] {
    return [...(this.#domains.get(domain)?.values() ?? [])];
  }

  answer(question: Question): Answer {
    return answering(() => this.#handle(question));
  }

  #handle({ method, url, headers, body }: Question): Answer {
    const { pathname, searchParams } = new URL(url, "https://desec.io");
    const [, given] = /^Token (\S+)$/.exec(String(headers["authorization"])) ?? [];
    const found = this.#tokens.find(({ token }) => token === given);
    if (!found) throw refusal(401, { detail: "Invalid token." }, { "www-authenticate": "Token" });
    const [, name] = /^\/api\/v1\/domains\/(?:([^/]+)\/rrsets\/)?$/.exec(pathname) ?? [undefined, ""];
    if (method === "GET") this.#limit("reads", READS);
    if (name === undefined && method === "GET")
      return page(
        [...this.#domains.keys()].map((each) => ({ name: each, minimum_ttl: LEAST_TTL })),
        pathname,
        searchParams,
      );
    const domain = this.#domains.get(name ?? "");
    if (name === undefined || !domain) throw refusal(404, { detail: "Not found." });
    if (method === "GET") {
      const all = [...domain.values()].toReversed();
      return page(
        all.map((set) => ({ ...set, domain: name })),
        pathname,
        searchParams,
      );
    }
    if (method !== "PATCH") throw refusal(405, { detail: `Method "${method}" not allowed.` });
    this.#limit(`writes ${name}`, WRITES);
    if (!found.writes) throw refusal(403, { detail: "You do not have permission to perform this action." });
    return patch(domain, JSON.parse(body) as Body[]);
  }

  #limit(what: string, limits: readonly (readonly [requests: number, seconds: number])[]): void {
    const now = this.#now();
    const asked = this.#asked.get(what) ?? [];
    for (const [requests, seconds] of limits) {
      const within = asked.filter((at) => at > now - seconds);
      if (within.length < requests) continue;
      const wait = Math.ceil((within.at(-requests) ?? now) + seconds - now);
      const detail = `Request was throttled. Expected available in ${wait} second${wait === 1 ? "" : "s"}.`;
      throw refusal(429, { detail }, { "retry-after": String(wait) });
    }
    this.#asked.set(what, [...asked, now]);
  }
}

function page(all: readonly unknown[], path: string, query: URLSearchParams): Answer {
  const cursor = query.get("cursor");
  if (cursor === null && all.length > PAGE)
    throw refusal(400, { detail: `Pagination required. You can query up to ${PAGE} items at a time.` });
  const from = Number(cursor || 0);
  const address = (at: number | "") => `<https://desec.io${path}?cursor=${at}>`;
  const links = [`${address("")}; rel="first"`];
  if (from + PAGE < all.length) links.push(`${address(from + PAGE)}; rel="next"`);
  return { status: 200, headers: { link: links.join(", ") }, json: all.slice(from, from + PAGE) };
}

/** All or nothing. */
function patch(domain: Map<string, Rrset>, sets: Body[]): Answer {
  const after = new Map(domain);
  const errors = sets.map((set) => errorsIn(after, set));
  if (errors.some((each) => Object.keys(each).length > 0)) throw refusal(400, errors);
  for (const subname of new Set([...after.values()].map((set) => set.subname))) {
    const types = [...after.values()].filter((set) => set.subname === subname).map(({ type }) => type);
    if (types.includes("CNAME") && (types.length > 1 || subname === ""))
      throw refusal(400, { non_field_errors: ["RRset with conflicting type present: CNAME."] });
  }
  domain.clear();
  for (const [key, set] of after) domain.set(key, set);
  return { status: 200, json: sets };
}

/** Puts a set in place; what is wrong with it, by field. */
function errorsIn(after: Map<string, Rrset>, set: Body): Record<string, string[]> {
  const { subname = "", type, records } = set;
  const key = `${String(subname)} ${String(type)}`;
  const old = after.get(key);
  const ttl = set["ttl"] ?? old?.ttl;
  const form = typeof type === "string" ? FORMS[type] : undefined;
  if (!form) return { type: ["This field is required, and is a type in upper case."] };
  if (!/^([a-z0-9_*-]+(\.[a-z0-9_-]+)*)?$/.test(String(subname)))
    return { subname: ["Subname can only use (lowercase) a-z, 0-9, ., -, and _."] };
  if (!Array.isArray(records)) return { records: ["This field is required."] };
  if (records.length === 0) {
    after.delete(key);
    return {};
  }
  if (ttl === undefined) return { ttl: ["This field is required."] };
  if (Number(ttl) < LEAST_TTL)
    return { ttl: [`Ensure this value is greater than or equal to ${LEAST_TTL}.`] };
  const texts = records as string[];
  const wrong = texts.filter((record) => !form.test(record));
  if (wrong.length > 0) return { records: [`Cannot parse record contents: ${wrong.join()}`] };
  if (new Set(texts).size < texts.length) return { records: ["Duplicate record contents."] };
  after.set(key, { subname: String(subname), type: String(type), ttl: Number(ttl), records: texts });
  return {};
}
