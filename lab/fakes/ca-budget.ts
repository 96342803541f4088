/**
 * A fake of what Let's Encrypt does beside ACME itself, in front of the lab's ACME server (pebble):
 * its token buckets, and CAA records that name an account. It watches what passes, and refuses what
 * Let's Encrypt would; everything else is pebble's own answer.
 *
 * Known from https://letsencrypt.org/docs/rate-limits/ (limits, and that each request for an order
 * is judged), Boulder's ratelimits package (words, Retry-After), RFC 8555 §6.6 and §6.7
 * (rateLimited, caa), RFC 8659 §3 (the tree is climbed) and RFC 8657 §3 (accounturi).
 */
import type { Answer } from "./serve.ts";
import { Buckets, type Limit } from "./token-bucket.ts";

const HOUR = 3600;
/** Let's Encrypt's limits, in its production environment. */
export const LIMITS = {
  failed: { burst: 5, period: HOUR },
  set: { burst: 5, period: 168 * HOUR },
  orders: { burst: 300, period: 3 * HOUR },
} as const satisfies Record<string, Limit>;

const DOCS = "https://letsencrypt.org/docs/rate-limits";

/** A request, as far as it is judged. */
export interface AcmeRequest {
  /** The whole URL, as the client has it. */
  url: string;
  method: string;
  body: string;
}

export interface AcmeAnswer {
  status: number;
  /** The header of that name. */
  location?: string | undefined;
  body: string;
}

/** A record of type CAA, as Node's resolver gives it. */
export interface Caa {
  critical: number;
  issue?: string | undefined;
  issuewild?: string | undefined;
}

interface Order {
  account: string;
  names: string[];
}
interface Authorization {
  account: string;
  name: string;
}

/** What has passed, and what is left of each budget. */
export class CaBudget {
  readonly #failed: Buckets;
  readonly #set: Buckets;
  readonly #orders: Buckets;
  readonly #resolveCaa: (name: string) => Promise<Caa[]>;
  readonly #identity: string;
  readonly #orderOf = new Map<string, Order>();
  readonly #authorizations = new Map<string, Authorization>();
  #newOrder = "";

  /**
   * @param identity the CA's own name in CAA records
   * @param resolveCaa a name's own CAA records; none when it has none
   */
  constructor(identity: string, resolveCaa: (name: string) => Promise<Caa[]>, now?: () => number) {
    [this.#failed, this.#set, this.#orders] = [LIMITS.failed, LIMITS.set, LIMITS.orders].map(
      (limit) => new Buckets(limit, now),
    ) as [Buckets, Buckets, Buckets];
    this.#identity = identity;
    this.#resolveCaa = resolveCaa;
  }

  /** What is left, by "account name" of failed validations, set of names, and account. */
  left(): { failed: Record<string, number>; set: Record<string, number>; orders: Record<string, number> } {
    return { failed: this.#failed.all(), set: this.#set.all(), orders: this.#orders.all() };
  }

  /** The refusal of a request, or undefined where it may pass. */
  async refusal(request: AcmeRequest): Promise<Answer | undefined> {
    if (request.method !== "POST") return undefined;
    if (request.url === this.#newOrder) {
      const { kid, names } = orderIn(request.body);
      return this.#limited(kid, names);
    }
    const finalized = this.#orderOf.get(request.url);
    return finalized && this.#forbidden(finalized);
  }

  /** Notes what came of a request that has passed. */
  note(request: AcmeRequest, answer: AcmeAnswer): void {
    const content = parse(answer.body);
    if (!content) return;
    if (typeof content["newOrder"] === "string") this.#newOrder = content["newOrder"];
    const created = request.url === this.#newOrder && answer.status === 201;
    const { kid, names } = created ? orderIn(request.body) : { kid: "", names: [] };
    if (created) this.#orders.spend(kid);
    // An order, new or read again: the URLs in it are its own.
    if (Array.isArray(content["authorizations"]) && typeof content["finalize"] === "string") {
      const url = created ? answer.location : request.url;
      const order = created ? { account: kid, names } : this.#orderOf.get(request.url);
      if (!order || url === undefined) return;
      this.#orderOf.set(url, order).set(content["finalize"], order);
      for (const each of content["authorizations"] as string[])
        if (!this.#authorizations.has(each)) this.#authorizations.set(each, { ...order, name: "" });
      const { certificate } = content;
      if (typeof certificate === "string" && !this.#orderOf.has(certificate)) {
        this.#orderOf.set(certificate, order);
        this.#set.spend(setOf(order.names));
      }
      return;
    }
    const authorization = this.#authorizations.get(request.url);
    const identifier = content["identifier"] as { value?: string } | undefined;
    if (!authorization || !identifier?.value || content["status"] !== "invalid") return;
    if (authorization.name !== "") return; // Counted already.
    authorization.name = identifier.value;
    this.#failed.spend(failedKey(authorization.account, identifier.value));
  }

  #limited(account: string, names: string[]): Answer | undefined {
    if (this.#orders.wait(account) > 0)
      return limited(this.#orders, account, "new orders (300) from this account", "new-orders-per-account");
    for (const name of names.map(withoutWildcard)) {
      const key = failedKey(account, name);
      if (this.#failed.wait(key) > 0) {
        const what = `failed authorizations (5) for ${JSON.stringify(name)}`;
        return limited(this.#failed, key, what, "authorization-failures-per-identifier-per-account");
      }
    }
    const set = setOf(names);
    if (this.#set.wait(set) === 0) return undefined;
    const what = "certificates (5) already issued for this exact set of identifiers";
    return limited(this.#set, set, what, "new-certificates-per-exact-set-of-identifiers");
  }

  /** CAA is looked up just before a certificate is issued. */
  async #forbidden({ account, names }: Order): Promise<Answer | undefined> {
    for (const name of names) {
      const records = await this.#closestCaa(withoutWildcard(name));
      if (permits(records, name.startsWith("*."), this.#identity, account)) continue;
      const detail = `CAA record for ${withoutWildcard(name)} prevents issuance`;
      return { status: 403, json: { type: "urn:ietf:params:acme:error:caa", detail, status: 403 } };
    }
    return undefined;
  }

  async #closestCaa(name: string): Promise<Caa[]> {
    const records = await this.#resolveCaa(name);
    const parent = name.split(".").slice(1).join(".");
    return records.length > 0 || parent === "" ? records : this.#closestCaa(parent);
  }
}

/** Whether records let a CA issue for an account (RFC 8659 §4.2 and §4.3, RFC 8657 §3). */
export function permits(
  records: readonly Caa[],
  wildcard: boolean,
  identity: string,
  account: string,
): boolean {
  const wild = records.flatMap(({ issuewild }) => issuewild ?? []);
  const values = wildcard && wild.length > 0 ? wild : records.flatMap(({ issue }) => issue ?? []);
  if (values.length === 0) return true;
  return values.some((value) => {
    const [domain = "", ...parameters] = value.split(";").map((part) => part.trim());
    const uris = parameters.flatMap((each) => /^accounturi\s*=\s*(.+)$/.exec(each)?.[1] ?? []);
    return domain === identity && uris.length <= 1 && uris.every((uri) => uri === account);
  });
}

function limited(buckets: Buckets, key: string, what: string, anchor: string): Answer {
  const seconds = buckets.wait(key);
  const until = new Date(Date.now() + seconds * 1000).toISOString().replace(/T(.*)\.\d+Z/, " $1 UTC");
  const detail = `too many ${what} in the last ${buckets.limit.period / HOUR}h0m0s, retry after ${until}: see ${DOCS}/#${anchor}`;
  return {
    status: 429,
    headers: { "retry-after": String(seconds), link: `<${DOCS}>;rel="help"` },
    json: { type: "urn:ietf:params:acme:error:rateLimited", detail, status: 429 },
  };
}

/** Whose a request for an order is, and for which names. */
function orderIn(body: string): { kid: string; names: string[] } {
  const jws = parse(body) ?? {};
  const part = (field: "protected" | "payload") =>
    parse(Buffer.from(String(jws[field] ?? ""), "base64url").toString("utf8")) ?? {};
  const identifiers = (part("payload")["identifiers"] ?? []) as { value: string }[];
  return { kid: String(part("protected")["kid"] ?? ""), names: identifiers.map(({ value }) => value) };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

// An authorization for a wildcard has the name without it (RFC 8555 §7.1.3).
const withoutWildcard = (name: string) => name.replace(/^\*\./, "");
const failedKey = (account: string, name: string) => `${account} ${name}`;
const setOf = (names: readonly string[]) => [...new Set(names)].sort().join(",");
