/**
 * Records as they cross Pulumi's engine. It copies, sends and logs each value of a resource some
 * ten times, and a thousand domains have fifty thousand: so each domain's are one text.
 */
import { nearest } from "../domain-names.ts";
import { parsedRecord } from "../json-values.ts";
import type { RecordSets } from "./record-sets.ts";

/**
 * A domain, or `.` for what is in none → its sets as JSON, a line for each.
 * @example { "example.org": '{\n"example.org MX": ["10 mail.example.org."]\n}' }
 */
export type RecordTexts = Record<string, string>;

const NO_DOMAIN = ".";

/** What a key that all domains have in common says in each of them. */
export interface CommonRecords {
  domains: readonly string[];
  /** Selector → what its record says. */
  dkim: Readonly<Record<string, string>>;
}

const dkimKeys = ({ domains, dkim }: CommonRecords): [key: string, value: string][] =>
  Object.entries(dkim).flatMap(([selector, value]) =>
    domains.map((domain): [string, string] => [`${selector}._domainkey.${domain} TXT`, value]),
  );

/** The sets as texts, without the domains' DKIM records where these say what they are to. */
export function textsOf(sets: RecordSets, common: CommonRecords): RecordTexts {
  const rest: RecordSets = { ...sets };
  for (const [key, value] of dkimKeys(common)) {
    const [first, ...more] = rest[key] ?? [];
    if (first === value && more.length === 0) delete rest[key];
    // One that is missing is said to be, or it would be taken for there.
    else rest[key] ??= [];
  }
  const domains = new Set(common.domains);
  const byDomain = Map.groupBy(Object.entries(rest), ([key]) => {
    const [name = ""] = key.split(" ");
    return nearest(name, domains) ?? NO_DOMAIN;
  });
  // The texts' keys are the domains: also one that has nothing but keys for DKIM has its own.
  const keys = new Set([...common.domains, ...byDomain.keys()]);
  return Object.fromEntries([...keys].map((domain) => [domain, textOf(byDomain.get(domain) ?? [])]));
}

/** The domains that have texts. */
export const domainsOf = (texts: object): string[] =>
  Object.keys(texts).filter((domain) => domain !== NO_DOMAIN && !domain.includes(" "));

const textOf = (sets: [key: string, values: string[]][]): string =>
  `{\n${sets.map(([key, values]) => `${JSON.stringify(key)}: ${JSON.stringify(values)}`).join(",\n")}\n}`;

/**
 * The sets that the texts hold. A text that is none of `textsOf` stays what it is, for whoever
 * checks.
 */
export function setsOfTexts(
  texts: Readonly<Record<string, unknown>>,
  dkim: CommonRecords["dkim"],
): RecordSets {
  const written = Object.entries(texts).map(([domain, text]): Record<string, unknown> => {
    const own = typeof text === "string" ? parsedRecord(text) : undefined;
    return own ?? { [domain]: text };
  });
  const sets = Object.assign({}, ...written) as RecordSets;
  for (const [key, value] of dkimKeys({ domains: domainsOf(texts), dkim })) sets[key] ??= [value];
  return Object.fromEntries(Object.entries(sets).filter(([, values]) => values.length !== 0));
}
