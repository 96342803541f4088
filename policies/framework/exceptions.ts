import { parse as parseJsonc, printParseErrorCode, type ParseError } from "jsonc-parser";

import { isRecord } from "../../lib/json-values.ts";

/** The file's name, beside the program's Pulumi.yaml. */
export const EXCEPTIONS_FILE = "policy-exceptions.jsonc";

/** Lets a policy's findings on some resources pass, until a day and for a reason. */
export interface Exception {
  /** Where it is in the file, such as `exceptions[0]`. */
  readonly at: string;
  readonly policy: string;
  /** A URN in which `*` stands for any text. */
  readonly urn: string;
  readonly reason: string;
  /** The last day on which it holds (UTC), as YYYY-MM-DD. */
  readonly expires: string;
}

/** Says what is wrong with the file of exceptions, and what to write instead. */
export class ExceptionsError extends Error {
  constructor(file: string, problems: readonly string[]) {
    super(`Policy exceptions: ${problems.map((problem) => `${file}: ${problem}`).join("\n  ")}`);
    this.name = "ExceptionsError";
    this.stack = this.message; // the SDK prints the stack, and this is a user's mistake
  }
}

const KEYS = ["policy", "urn", "reason", "expires"] as const;
const EXAMPLE = '"urn:pulumi:prod::shop::docker:index/container:Container::legacy-*"';

/** Two resources that have nothing in common: a pattern for both is one for every resource. */
const UNLIKE = ["urn:pulumi:a::b::c:d/e:F::g", "urn:pulumi:z::y::x:w/v:U$t:s:R::q"];

/** Text in which `*` stands for any other; everything else for itself. */
export function matches(pattern: string, urn: string): boolean {
  const literal = pattern.split(/\*+/).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(urn);
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`); // 2027-02-30 is in March then
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * Reads the file of exceptions, JSON with comments.
 *
 * @param file as messages name it
 * @throws ExceptionsError with each wrong key's path
 */
export function parseExceptions(text: string, file: string, policyIds: readonly string[]): Exception[] {
  const errors: ParseError[] = [];
  const document: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new ExceptionsError(file, [`line ${line} is no JSON: ${printParseErrorCode(error.error)}`]);
  }
  const problems: string[] = [];
  const list = isRecord(document) ? document["exceptions"] : undefined;
  if (!Array.isArray(list))
    throw new ExceptionsError(file, ['holds no list of exceptions; write { "exceptions": [] }']);
  for (const key of Object.keys(document as object))
    if (key !== "exceptions") problems.push(`${key} is no key of this file; write exceptions`);

  const exceptions = list.map((entry: unknown, index): Exception => {
    const at = `exceptions[${index}]`;
    problems.push(...problemsOf(entry, at, policyIds));
    return { at, ...(entry as Omit<Exception, "at">) };
  });
  if (problems.length === 0) problems.push(...duplicatesIn(exceptions));
  if (problems.length > 0) throw new ExceptionsError(file, problems);
  return exceptions;
}

function problemsOf(entry: unknown, at: string, policyIds: readonly string[]): string[] {
  if (!isRecord(entry)) return [`${at} accepts an object with ${KEYS.join(", ")}`];
  const problems: string[] = [];
  for (const key of Object.keys(entry))
    if (!(KEYS as readonly string[]).includes(key))
      problems.push(`${at}.${key} is no key of an exception; write one of ${KEYS.join(", ")}`);
  const text = (key: (typeof KEYS)[number], accepts: string, isFine: (value: string) => boolean): void => {
    const value = entry[key];
    if (value === undefined) problems.push(`${at}.${key} is missing; it accepts ${accepts}`);
    else if (typeof value !== "string" || value.trim() === "" || !isFine(value))
      problems.push(`${at}.${key} accepts ${accepts}`);
  };
  text("policy", `the id of a policy: ${policyIds.join(", ")}`, (id) => policyIds.includes(id));
  text("urn", `a URN, in which * stands for any text, but not one for every resource: ${EXAMPLE}`, (urn) =>
    UNLIKE.some((other) => !matches(urn, other)),
  );
  text("reason", "a sentence that says why the finding may stand", () => true);
  text("expires", 'a day as YYYY-MM-DD, the last one on which it holds: "2027-01-31"', isDate);
  return problems;
}

function duplicatesIn(exceptions: readonly Exception[]): string[] {
  return exceptions.flatMap(({ at, policy, urn }, index) => {
    const first = exceptions.slice(0, index).find((other) => other.policy === policy && other.urn === urn);
    return first ? [`${at} repeats ${first.at}: ${policy} on ${urn}; delete one`] : [];
  });
}

/** The exceptions of one run: which are in force, and which have matched a finding. */
export class Exceptions {
  readonly file: string;
  readonly inForce: readonly Exception[];
  readonly expired: readonly Exception[];
  readonly #used = new Set<Exception>();

  /** @param today as YYYY-MM-DD */
  constructor(file: string, exceptions: readonly Exception[], today: string) {
    this.file = file;
    this.inForce = exceptions.filter(({ expires }) => expires >= today);
    this.expired = exceptions.filter(({ expires }) => expires < today);
  }

  /** The exception that covers a finding of a policy on a resource; it then counts as used. */
  cover(policy: string, urn: string): Exception | undefined {
    const found = this.inForce.find((each) => each.policy === policy && matches(each.urn, urn));
    if (found) this.#used.add(found);
    return found;
  }

  /** Those that covered nothing here. One for `prod` is not idle in `dev`. */
  unused(anyUrn: string): readonly Exception[] {
    const stack = /^urn:pulumi:[^:]*::[^:]*::/.exec(anyUrn)?.[0] ?? "";
    const isHere = (urn: string): boolean => {
      const [start = ""] = urn.split("*", 1);
      return start.startsWith(stack) || stack.startsWith(start);
    };
    return this.inForce.filter((each) => !this.#used.has(each) && isHere(each.urn));
  }
}

export const NO_EXCEPTIONS = new Exceptions(EXCEPTIONS_FILE, [], "");
