import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { wordsOf } from "../../lib/errors.ts";
import type { Issued } from "../../verify/doctor/target.ts";

/** As the API has it (https://sslmate.com/help/reference/ct_search_api_v1). */
interface Issuance {
  id: string;
  dns_names: string[];
  issuer: { name: string };
  not_before: string;
}

/** What is kept of a domain between two questions, and between two runs. */
interface Kept {
  issuances: Issuance[];
  /** Milliseconds since the epoch: when all was known, and before when nothing is asked again. */
  at: number;
  next: number;
  /** Why the last question has no answer. */
  trouble?: string;
}

const HOUR = 3_600_000;
/** As long as a certificate lives: whether one is a renewal hangs on those before it. */
const KEPT_FOR = 100 * 24 * HOUR;
/** Anybody may ask ten times an hour for a domain with what is below it: three domains do. */
const MOST_PAGES = 3;
/** For how long an answer serves where there is no newer one. */
const GOOD_FOR = 24 * HOUR;

/**
 * Asks SSLMate's search in the logs of Certificate Transparency, once an hour at most: what it has
 * said is kept in a file, and asked for is what came after it.
 *
 * @param folder where it is kept
 * @param origin of the API
 * @param now milliseconds; a test has its own clock
 */
export class Certspotter {
  readonly #folder: string;
  readonly #origin: string;
  readonly #now: () => number;
  /** For where nothing can be written. */
  readonly #kept = new Map<string, Kept>();

  constructor(folder: string, origin = "https://api.certspotter.com", now = () => Date.now()) {
    this.#folder = folder;
    this.#origin = origin;
    this.#now = now;
  }

  /**
   * What was issued for a domain and the names below it.
   *
   * @throws Error where it does not tell, and has not for a day
   */
  async issued(domain: string): Promise<Issued> {
    const kept = this.#read(domain);
    if (this.#now() >= kept.next) {
      await this.#ask(domain, kept);
      this.#write(domain, kept);
    }
    if (kept.trouble !== undefined && this.#now() - kept.at > GOOD_FOR)
      throw new Error(`certspotter does not tell what was issued for ${domain}: ${kept.trouble}`);
    const issuances = kept.issuances.map(({ dns_names: names, issuer, not_before: from }) => ({
      names,
      issuer: issuer.name,
      from: new Date(from),
    }));
    return { issuances, at: new Date(kept.at) };
  }

  async #ask(domain: string, kept: Kept): Promise<void> {
    kept.next = this.#now() + HOUR;
    delete kept.trouble;
    try {
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = new URLSearchParams({ domain, include_subdomains: "true" });
        for (const field of ["dns_names", "issuer"]) query.append("expand", field);
        const last = kept.issuances.at(-1)?.id;
        if (last !== undefined) query.set("after", last);
        const reply = await fetch(`${this.#origin}/v1/issuances?${query.toString()}`, {
          headers: { accept: "application/json", "user-agent": "tailwart-doctor" },
          signal: AbortSignal.timeout(6_000),
        });
        if (!reply.ok) {
          const wait = Number(reply.headers.get("retry-after")) * 1000;
          if (wait > HOUR) kept.next = this.#now() + wait;
          const { message } = (await reply.json().catch(() => ({}))) as { message?: string };
          throw new Error(`HTTP ${reply.status} ${message ?? ""}`.trim());
        }
        const found = (await reply.json()) as Issuance[];
        if (found.length === 0) {
          kept.at = this.#now();
          return;
        }
        kept.issuances.push(...found);
      }
      kept.trouble = `it has more than ${MOST_PAGES} pages; the next hour goes on`;
    } catch (error) {
      kept.trouble = wordsOf((error as Error).cause ?? error);
    }
  }

  #file(domain: string): string {
    return join(this.#folder, `${encodeURIComponent(domain)}.json`);
  }

  #read(domain: string): Kept {
    const none = this.#kept.get(domain) ?? { issuances: [], at: 0, next: 0 };
    try {
      const file = this.#file(domain);
      return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : none;
    } catch {
      // Cut off by hand: it is asked for anew.
      return none;
    }
  }

  /** Keeps what counts, and the last of all, after which the next question asks. */
  #write(domain: string, kept: Kept): void {
    const since = this.#now() - KEPT_FOR;
    kept.issuances = kept.issuances.filter(
      ({ not_before: from }, at, all) => Date.parse(from) > since || at === all.length - 1,
    );
    this.#kept.set(domain, kept);
    const file = this.#file(domain);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(kept));
      renameSync(`${file}.new`, file);
    } catch {
      // One that runs on has it; the next asks anew.
    }
  }
}
