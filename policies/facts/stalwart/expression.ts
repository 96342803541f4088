/**
 * Stalwart's expressions, as far as a strategy needs them: which names can come out of one, and for
 * which recipients a condition holds. Grammar: stalwart-lite 0.16.0, common/src/expr/tokenizer.rs
 * and parser.rs. A name is a quoted string; a bare word is a variable or an error.
 */

/** What an expression gives: some strings, nothing if it is refused, or more than is read here. */
export type Result =
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "refused"; readonly because: string }
  | { readonly kind: "unreadable" };

/** For which recipients a condition holds. "some" is any condition that is not looked into. */
export type Holds = "local" | "not-local" | "always" | "never" | "some";

/** Variables of a queued message's recipient (smtp/mod.rs, SMTP_QUEUE_RCPT_VARS). */
const VARIABLES = new Set(
  "rcpt rcpt_domain recipients sender sender_domain priority retry_num notify_num expires_in last_status last_error queue_name queue_age received_from_ip received_via_port source size true false".split(
    " ",
  ),
);

const UNREADABLE = { kind: "unreadable" } as const;
const STRING = /^(?:'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")$/;
const IN_PARENTHESES = /^\(([^()'"]|'[^']*'|"[^"]*"|\((?:[^()'"]|'[^']*'|"[^"]*")*\))*\)$/;
const MAX_LENGTH = 2000;

/** The arguments of a call, split at the commas that stand in neither quotes nor parentheses. */
function argumentsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const token of text.match(/'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"|[^]/g) ?? []) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    if (token === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += token;
  }
  return [...parts, part];
}

/** True for words that are neither variables nor numbers to Stalwart; `-` is a minus to it. */
function isForeignWord(text: string): boolean {
  return (
    /^[A-Za-z_][\w.-]*$/.test(text) &&
    text.split("-").some((word) => /^[A-Za-z_]/.test(word) && !VARIABLES.has(word))
  );
}

/**
 * The strings that an expression can give.
 *
 * @example resultOf("if_then(size > 9, 'big', 'mx')") // names: big, mx
 */
export function resultOf(expression: string): Result {
  const text = expression.trim();
  if (text === "") return { kind: "refused", because: "is empty" };
  if (text.length > MAX_LENGTH) return UNREADABLE;
  // A number or a truth value is no string, and its digits are the name of no route.
  if (/^(?:true|false|-?\d+(?:\.\d+)?)$/.test(text))
    return { kind: "names", names: [text.replace("true", "1").replace("false", "0")] };
  if (STRING.test(text)) return { kind: "names", names: [text.slice(1, -1).replace(/\\([^])/g, "$1")] };
  if (isForeignWord(text))
    return { kind: "refused", because: "is a word without quotes, which is no variable" };
  if (/^['"]/.test(text) && !text.slice(1).includes(text.charAt(0)))
    return { kind: "refused", because: "has a quote that is not closed" };
  if (IN_PARENTHESES.test(text)) return resultOf(text.slice(1, -1));
  const [, inner] = /^if_then\s*\(([^]*)\)$/.exec(text) ?? [];
  const [, yes, no, ...more] = inner === undefined ? [] : argumentsOf(inner);
  if (yes === undefined || no === undefined || more.length > 0) return UNREADABLE;
  const results = [resultOf(yes), resultOf(no)];
  const refused = results.find((result) => result.kind === "refused");
  if (refused) return refused;
  const names = results.flatMap((result) => (result.kind === "names" ? [...result.names] : []));
  return results.every((result) => result.kind === "names") ? { kind: "names", names } : UNREADABLE;
}

const LOCAL =
  /^is_local_(?:domain\(\s*(?:(?:'[^']*'|"[^"]*")\s*,\s*)?rcpt_domain|address\(\s*(?:(?:'[^']*'|"[^"]*")\s*,\s*)?rcpt)\s*\)$/;

/** For which recipients a condition holds. The domain of the sender says nothing of them. */
export function holdsFor(condition: string): Holds {
  const text = condition.trim();
  if (/^(?:true|1)$/.test(text)) return "always";
  if (/^(?:false|0)$/.test(text)) return "never";
  if (text.length > MAX_LENGTH) return "some";
  if (IN_PARENTHESES.test(text)) return holdsFor(text.slice(1, -1));
  if (text.startsWith("!") && /domain/.test(text) && LOCAL.test(text.slice(1).trim())) return "not-local";
  // With an `or` anywhere one side alone decides nothing.
  if (text.replace(/'[^']*'|"[^"]*"/g, "").includes("|")) return "some";
  return text.split(/&+/).some((side) => LOCAL.test(side.trim())) ? "local" : "some";
}
