/**
 * Questions to a DNS provider's HTTP API: each with a deadline, again after a 429 that says when,
 * and no secret in what is said of them.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { UserError, wordsOf } from "../../lib/errors.ts";

export interface ApiAccess {
  /** What is asked, for messages. @example "Spaceship" */
  where: string;
  /** Where the API begins, without a slash at its end. */
  url: string;
  /** What shows who asks, with the secret as it is sent. */
  headers: (secret: string) => Readonly<Record<string, string>>;
  /** What no message may repeat; blanks around it, such as a file's last newline, are not sent. */
  secret: string;
  /** What the key must be allowed, for messages. */
  scopes: string;
  /** Whether an answer other than 401 and 403 is about the key as well. */
  refusesKey?: (body: unknown) => boolean;
}

export interface ApiAnswer {
  headers: Headers;
  /** Its JSON; undefined where there is none. */
  body: unknown;
}

/** Milliseconds for one answer. */
const DEADLINE = 30_000;
/** Seconds that one question waits in all: an `up` that hangs for hours helps nobody. */
const PATIENCE = 120;
/** Seconds to wait after a 429 that does not say how long. */
const PAUSE = 5;
/** Characters of an answer that a message repeats. */
const TOLD = 300;

/** An answer that is none of success. */
export class RefusedError extends UserError {
  readonly status: number;

  constructor(status: number, message: string, options: { path: string; hint: string }) {
    super(message, options);
    this.status = status;
  }
}

export class HttpApi {
  readonly where: string;
  readonly #access: ApiAccess;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #repeated: RegExp;

  /** @throws UserError for a secret that no header can have */
  constructor(access: ApiAccess) {
    this.where = access.where;
    this.#access = access;
    const secret = access.secret.trim();
    if (!/^[\x20-\x7e]+$/.test(secret))
      throw new UserError(`the key's secret for ${this.where} ${whyNone(secret)}`, {
        path: "tailwart:dnsSecret",
        hint: "Copy it once more, in one line: pulumi config set --secret tailwart:dnsSecret",
      });
    this.#headers = access.headers(secret);
    this.#repeated = repetitionsOf(secret);
  }

  /**
   * A 429 has done nothing yet, so that the question is put again. No other is: the next `up` looks
   * what became of it.
   *
   * @param path below the API's URL
   * @param body sent as JSON
   * @throws RefusedError for every status but 2xx, UserError when nothing answers, or no API
   */
  async ask(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    for (let waited = 0; ;) {
      const answer = await this.#send(method, path, body);
      if (answer.status !== 429) return this.#read(method, path, answer);
      const pause = secondsOf(answer.headers.get("retry-after"));
      await answer.body?.cancel();
      if (waited + pause > PATIENCE)
        throw new RefusedError(429, `${this.where} takes no more requests for ${pause} s`, {
          path: "tailwart:dns.write",
          hint: "Run pulumi up again then: it goes on where this one has stopped",
        });
      await sleep(pause * 1000);
      waited += pause;
    }
  }

  /** The answer; undefined where what is asked for is not there. */
  async find(method: string, path: string): Promise<ApiAnswer | undefined> {
    try {
      return await this.ask(method, path);
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(this.#access.url + path, {
        method,
        headers: { ...this.#headers, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // The key goes nowhere else.
        redirect: "error",
        signal: AbortSignal.timeout(DEADLINE),
      });
    } catch (error) {
      throw this.#silent(method, path, error);
    }
  }

  async #read(method: string, path: string, answer: Response): Promise<ApiAnswer> {
    const text = await answer.text().catch((error: unknown) => {
      throw this.#silent(method, path, error);
    });
    const body = parsed(text);
    const { status } = answer;
    const said = this.#safe(text).slice(0, TOLD);
    // A change may have nothing to say.
    if (answer.ok && body === undefined && (text !== "" || method === "GET"))
      throw new UserError(`${this.where} answers ${method} ${path} with no JSON: ${said}`, {
        path: "tailwart:dnsProvider",
        hint: `Something else answers for ${this.#access.url}, such as a portal or a proxy: see to it, then run pulumi up again`,
      });
    if (answer.ok) return { headers: answer.headers, body };
    const isKey = status === 401 || status === 403 || (this.#access.refusesKey?.(body) ?? false);
    throw new RefusedError(status, `${this.where} answers ${method} ${path} with HTTP ${status}: ${said}`, {
      path: isKey ? "tailwart:dnsSecret" : "tailwart:dnsProvider",
      hint: isKey
        ? `Give a key that may ${this.#access.scopes}: pulumi config set --secret tailwart:dnsSecret`
        : "What is written already stays, and the next pulumi up goes on; npm run dns prints the records",
    });
  }

  #silent(method: string, path: string, error: unknown): UserError {
    const { cause } = error as { cause?: unknown };
    const why = this.#safe(wordsOf(cause ?? error));
    return new UserError(`${this.where} does not answer ${method} ${path}: ${why}`, {
      path: "tailwart:dnsProvider",
      hint: "Run pulumi up again once this machine reaches it: that goes on where this one has stopped",
    });
  }

  #safe(text: string): string {
    // An answer does not draw on somebody's terminal.
    return text.replace(this.#repeated, "[secret]").replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
  }
}

const whyNone = (secret: string): string =>
  secret === "" ? "is empty" : "has a character that no key has: a newline, a typographic quote or the like";

/** A secret as it is, and in each way in which JSON may write it (RFC 8259 §7). */
function repetitionsOf(secret: string): RegExp {
  const characters = Array.from(secret, (character) => {
    const hex = character.charCodeAt(0).toString(16);
    return `(?:\\\\?\\x${hex}|\\\\u00${hex})`;
  });
  return new RegExp(characters.join(""), "gi");
}

/** Seconds that an answer asks to wait, at least one (RFC 9110 §10.2.3). */
function secondsOf(header: string | null): number {
  if (header === null) return PAUSE;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? PAUSE : Math.max(1, Math.ceil(seconds));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
