/**
 * What a Stalwart expression gives for one HTTP request, as far as it can be worked out without the
 * server. Grammar: stalwart-lite 0.16.0, common/src/expr/tokenizer.rs and parser.rs, which the
 * registry's lines have kept.
 */

/** Variables of a request by name. One that is not in here is unknown. */
export type Request = Readonly<Record<string, string | number | boolean>>;

/** Undefined where it is unknown. */
export type Value = string | number | boolean | undefined;

const TOKEN = /\s*('(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"|\d+|[A-Za-z_]\w*|&&?|\|\|?|==|!=|[!(),])/y;
const MAX_LENGTH = 2000;
const MAX_DEPTH = 50;

/** Undefined for a text with something in it that is not read here, such as a sum. */
function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const length = text.trimEnd().length;
  while (TOKEN.lastIndex < length) {
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

/** Whether a value holds as a condition; undefined where that is unknown. */
export const isTrue = (value: Value): boolean | undefined =>
  value === undefined ? undefined : value !== false && value !== 0 && value !== "";

const both =
  (test: (a: string, b: string) => boolean) =>
  ([a, b]: readonly Value[]): Value =>
    a === undefined || b === undefined ? undefined : test(String(a), String(b));

/** The server's patterns are those of Rust's regex crate, which spells flags in front. */
function matches(pattern: string, text: string): Value {
  const [, flags = "", rest = ""] = /^(?:\(\?(i)\))?([^]*)$/.exec(pattern) ?? [];
  try {
    return new RegExp(rest, flags).test(text);
  } catch {
    return undefined;
  }
}

const FUNCTIONS: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  matches: ([pattern, text]) =>
    text === undefined || pattern === undefined ? undefined : matches(String(pattern), String(text)),
  starts_with: both((text, start) => text.startsWith(start)),
  ends_with: both((text, end) => text.endsWith(end)),
  contains: both((text, part) => text.includes(part)),
  eq_ignore_case: both((a, b) => a.toLowerCase() === b.toLowerCase()),
  is_empty: ([value]) => (value === undefined ? undefined : value === ""),
};

class Unreadable extends Error {}

class Reader {
  readonly #tokens: readonly string[];
  readonly #request: Request;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[], request: Request) {
    this.#tokens = tokens;
    this.#request = request;
  }

  whole(): Value {
    const value = this.#or();
    if (this.#at < this.#tokens.length) throw new Unreadable();
    return value;
  }

  #take(...wanted: string[]): boolean {
    const found = wanted.includes(this.#tokens[this.#at] ?? "");
    if (found) this.#at++;
    return found;
  }

  #or(): Value {
    let value = this.#and();
    while (this.#take("||", "|")) {
      const [a, b] = [isTrue(value), isTrue(this.#and())];
      value = a === true || b === true ? true : a === false && b === false ? false : undefined;
    }
    return value;
  }

  #and(): Value {
    let value = this.#comparison();
    while (this.#take("&&", "&")) {
      const [a, b] = [isTrue(value), isTrue(this.#comparison())];
      value = a === false || b === false ? false : a === true && b === true ? true : undefined;
    }
    return value;
  }

  #comparison(): Value {
    const left = this.#term();
    const equal = this.#take("==");
    if (!equal && !this.#take("!=")) return left;
    const right = this.#term();
    if (left === undefined || right === undefined) return undefined;
    return (String(left) === String(right)) === equal;
  }

  #term(): Value {
    const token = this.#tokens[this.#at++];
    if (token === undefined || ++this.#depth > MAX_DEPTH) throw new Unreadable();
    const value = this.#termOf(token);
    this.#depth--;
    return value;
  }

  #termOf(token: string): Value {
    if (token === "!") {
      const value = isTrue(this.#term());
      return value === undefined ? undefined : !value;
    }
    if (token === "(") return this.#closed(this.#or());
    if (/^['"]/.test(token)) return token.slice(1, -1).replace(/\\([^])/g, "$1");
    if (/^\d/.test(token)) return Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw new Unreadable();
    if (!this.#take("(")) return token === "true" ? true : token === "false" ? false : this.#request[token];
    const values: Value[] = [];
    if (!this.#take(")")) {
      do values.push(this.#or());
      while (this.#take(","));
      this.#closed(undefined);
    }
    return FUNCTIONS[token]?.(values);
  }

  #closed(value: Value): Value {
    if (!this.#take(")")) throw new Unreadable();
    return value;
  }
}

/**
 * Evaluates an expression.
 *
 * @returns undefined where it holds a variable, a function or an operator that is not known here,
 *   or is no expression
 * @example evaluate("listener == 'admin' || starts_with(path, '/jmap')", { path: "/jmap/" }) ===
 *   true
 */
export function evaluate(expression: string, request: Request): Value {
  const tokens = expression.length > MAX_LENGTH ? undefined : tokensOf(expression);
  if (!tokens) return undefined;
  try {
    return new Reader(tokens, request).whole();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}
