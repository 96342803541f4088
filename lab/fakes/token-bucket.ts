/** Token buckets, by which Let's Encrypt limits what it is asked. */

/** How many tokens a bucket holds, and over how many seconds an empty one is full again. */
export interface Limit {
  burst: number;
  period: number;
}

/**
 * Buckets of one limit, one a key; each is full when it is first asked for.
 *
 * Source: https://letsencrypt.org/docs/rate-limits/, "How Our Rate Limits Work": capacity refills
 * gradually, by one token each `period / burst`.
 */
export class Buckets {
  readonly limit: Limit;
  readonly #now: () => number;
  /** Key → what was left, and at which second. */
  readonly #left = new Map<string, { tokens: number; at: number }>();

  /** @param now seconds; a test has its own clock */
  constructor(limit: Limit, now: () => number = () => Date.now() / 1000) {
    this.limit = limit;
    this.#now = now;
  }

  /** Tokens that are left, parts of one included. */
  left(key: string): number {
    const { burst, period } = this.limit;
    const found = this.#left.get(key);
    if (!found) return burst;
    return Math.min(burst, found.tokens + ((this.#now() - found.at) * burst) / period);
  }

  /** Takes one away, though none may be left: what has happened is counted. */
  spend(key: string): void {
    this.#left.set(key, { tokens: Math.max(0, this.left(key) - 1), at: this.#now() });
  }

  /** Whole seconds until there is one again; 0 when there is. */
  wait(key: string): number {
    const { burst, period } = this.limit;
    return Math.ceil(Math.max(0, 1 - this.left(key)) * (period / burst));
  }

  /** What is left in each bucket that was ever spent from, rounded down. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#left.keys()].map((key) => [key, Math.floor(this.left(key))]));
  }
}
