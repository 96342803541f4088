import { parse as parseJsonc, printParseErrorCode, type ParseError } from "jsonc-parser";

import { isRecord } from "../../lib/json-values.ts";

/** The file's name, beside the program's Pulumi.yaml. */
export const EXCEPTIONS_FILE = "policy-exceptions.jsonc";

/** Lets a policy's findings on some resources pass, until a day and for a reason. */
export interface Exception {
  /** Where it is in the file, such as `exceptions[0]`. */
  readonly at: string;
  readonly policy: string;
  /** A URN in which `*` stands for any text. It has to name a type and a resource. */
  readonly urn: string;
  /**
   * The place in the resource, as the finding names it, such as `envs (URL)`; `*` stands for any
   * text. Default: every place.
   */
  readonly where?: string;
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

const KEYS = ["policy", "urn", "where", "reason", "expires"] as const;
const EXAMPLE = '"urn:pulumi:prod::shop::docker:index/container:Container::legacy-*"';

/**
 * Whether a pattern says which type and which name: `urn:pulumi:prod::*` is a stack, and `*docker*`
 * every resource of a provider.
 */
function namesResource(pattern: string): boolean {
  const parts = pattern.split("::");
  const isType = (part: string) => /[a-z0-9]/i.test(part) && /^\*|:/.test(part) && !part.startsWith("urn:");
  const type = parts.slice(0, -1).findLastIndex(isType);
  return type >= 0 && /[a-z0-9]/i.test(parts.slice(type + 1).join());
}

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
  text("urn", `a URN with a type and a name, in which * stands for any text: ${EXAMPLE}`, namesResource);
  if (entry["where"] !== undefined)
    text(
      "where",
      'the place that the finding names, in which * stands for any text: "envs (URL)"',
      () => true,
    );
  text("reason", "a sentence that says why the finding may stand", () => true);
  text("expires", 'a day as YYYY-MM-DD, the last one on which it holds: "2027-01-31"', isDate);
  return problems;
}

function duplicatesIn(exceptions: readonly Exception[]): string[] {
  return exceptions.flatMap(({ at, policy, urn, where }, index) => {
    const isSame = (other: Exception) =>
      other.policy === policy && other.urn === urn && other.where === where;
    const first = exceptions.slice(0, index).find(isSame);
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

  /** The exception that covers a policy's finding at a place; it then counts as used. */
  cover(policy: string, urn: string, where: string): Exception | undefined {
    const found = this.inForce.find(
      (each) => each.policy === policy && matches(each.urn, urn) && matches(each.where ?? "*", where),
    );
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
