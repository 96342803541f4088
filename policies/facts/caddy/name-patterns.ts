import { record } from "../../../lib/json-values.ts";

/** Names by a regular expression. */
export interface NamePattern {
  readonly source: string;
  /** Undefined where it cannot be tried out here. */
  readonly test: ((name: string) => boolean) | undefined;
}

export const UNTRIED = "matches names by a regular expression that cannot be tried out here";

const MAX_LENGTH = 400;
/** A group that repeats, in which something repeats or is an alternative: endless here. */
const REPEATS_TWICE = /[*+}|][^(]*\)+[?]?[*+{]/;

/** Reads an expression of Go's (RE2). What is spelled otherwise here, or differs, is not tried. */
export function namePattern(source: string): NamePattern {
  const [, flags = "", rest = ""] = /^(?:\(\?([is]+)\))?([^]*)$/.exec(source) ?? [];
  const spelled = rest
    .replace(/\(\?P</g, "(?<")
    .replace(/\\z/g, "$")
    .replace(/\\A/g, "^");
  const isOther = /\(\?[a-zA-Z-]+[:)]|\\[pPQEC]|\[\[:|\{[^\d]/.test(spelled);
  if (source.length > MAX_LENGTH || REPEATS_TWICE.test(spelled) || isOther)
    return { source, test: undefined };
  try {
    const expression = new RegExp(spelled, flags);
    return { source, test: (name) => expression.test(name) };
  } catch {
    return { source, test: undefined };
  }
}

/** The expression by which a matcher set of the http app picks hosts, with the key that has it. */
export function hostPatternOf(
  set: Record<string, unknown>,
): { key: string; pattern: NamePattern } | undefined {
  const [key, options] =
    Object.entries(record(set["header_regexp"])).find(([field]) => field.toLowerCase() === "host") ?? [];
  const { pattern } = record(options);
  return key !== undefined && typeof pattern === "string"
    ? { key, pattern: namePattern(pattern) }
    : undefined;
}

/** The expression by which a matcher set of layer4 picks names. */
export function sniPatternOf(set: Readonly<Record<string, unknown>>): NamePattern | undefined {
  const { pattern } = record(record(set["tls"])["sni_regexp"]);
  return typeof pattern === "string" ? namePattern(pattern) : undefined;
}
