/**
 * A fake of certspotter's search in the Certificate Transparency logs, over what the lab's CA has
 * really issued.
 *
 * Known from https://sslmate.com/help/reference/ct_search_api_v1: the oldest first, `after` for the
 * next page, unexpired issuances alone; `dns_names` and `issuer` only when asked for by `expand`.
 * https://sslmate.com/pricing/ct_search_api: without an account ten questions an hour for a domain
 * with what is below it, a hundred for a name; seen of the service: 429 with Retry-After.
 */
import type { Answer } from "./serve.ts";
import { Buckets } from "./token-bucket.ts";

/** One certificate, as certspotter tells of it. */
export interface Issuance {
  id: string;
  tbs_sha256: string;
  cert_sha256: string;
  dns_names: string[];
  pubkey_sha256: string;
  issuer: { name: string };
  not_before: string;
  not_after: string;
}

/** How many issuances a page has. */
const PAGE = 100;
const EXPANDED = ["dns_names", "issuer"] as const;

/** Answers a request by its URL, from all issuances in the order in which they came. */
export function searchIssuances(url: string, issued: readonly Issuance[], now = Date.now()): Answer {
  const { pathname, searchParams } = new URL(url, "https://api.certspotter.com");
  if (pathname !== "/v1/issuances") return refusal(404, "not_found", "there is no such endpoint");
  const domain = searchParams.get("domain")?.toLowerCase();
  if (!domain) return refusal(400, "invalid_parameter", "the parameter domain is missing");
  // A registered domain or one below: a top-level domain is neither.
  if (!/^[^.]+(\.[^.]+)+$/.test(domain))
    return refusal(400, "invalid_parameter", `${domain} is no registered domain`);
  const flag = (name: string) => searchParams.get(name) === "true";
  const expand = searchParams.getAll("expand");
  const matches = (name: string) =>
    name === domain ||
    (flag("include_subdomains") && name.endsWith(`.${domain}`)) ||
    (flag("match_wildcards") && name === domain.replace(/^[^.]+/, "*"));
  const after = Number(searchParams.get("after") ?? 0);
  const found = issued
    .filter(({ id }) => Number(id) > after)
    .filter(({ not_after }) => Date.parse(not_after) > now)
    .filter(({ dns_names }) => dns_names.some((name) => matches(name.toLowerCase())));
  const json = found.slice(0, PAGE).map((issuance) => {
    const shown: Partial<Issuance> = { ...issuance };
    for (const field of EXPANDED) if (!expand.includes(field)) delete shown[field];
    return shown;
  });
  return { status: 200, json };
}

const HOUR = 3600;

/** The search as those have it who have no account. */
export class RationedSearch {
  readonly #now: () => number;
  readonly #domains: Buckets;
  readonly #names: Buckets;

  /** @param now seconds; a test has its own clock */
  constructor(now = () => Date.now() / 1000) {
    this.#now = now;
    this.#domains = new Buckets({ burst: 10, period: HOUR }, now);
    this.#names = new Buckets({ burst: 100, period: HOUR }, now);
  }

  answer(url: string, issued: readonly Issuance[]): Answer {
    const { searchParams } = new URL(url, "https://api.certspotter.com");
    const budget = searchParams.get("include_subdomains") === "true" ? this.#domains : this.#names;
    const wait = budget.wait("");
    if (wait > 0) {
      const message = "the hour's questions are used up; ask later, or with an account's key";
      return { ...refusal(429, "rate_limited", message), headers: { "retry-after": String(wait) } };
    }
    budget.spend("");
    return searchIssuances(url, issued, this.#now() * 1000);
  }
}

const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  json: { code, message },
});
