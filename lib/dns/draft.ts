import type { MailSetup } from "./mail-setup.ts";
import { patternSet } from "./name-patterns.ts";
import { nearest } from "../domain-names.ts";
import { canonicalName, type MailRecord, type Need, type Purpose, type RecordData } from "./record.ts";

/**
 * What no record says: that one is missing, that one is left out on purpose, or that somebody else
 * sets it.
 */
export interface Note {
  readonly state: "missing" | "left out" | "set elsewhere";
  /** The record, such as "SPF". */
  readonly what: string;
  readonly need: Need;
  /** The domains, names or addresses that it concerns. */
  readonly of: readonly string[];
  readonly why: string;
  /** What to write, or who sets what. */
  readonly instead?: string;
}

const ORDER: readonly Note["state"][] = ["missing", "set elsewhere", "left out"];

/**
 * Records and notes while they are gathered: a record is there once, however many ask for it, and
 * what is said of several domains is said once.
 */
export class Draft {
  /** What the records are made from, with names as they have them. */
  readonly setup: MailSetup;
  /** Names that an ACME client orders a certificate for. */
  readonly certified: ReadonlySet<string>;
  /** MX hosts that the policy of MTA-STS names. */
  readonly policyHosts: ReadonlySet<string>;
  readonly #domains: ReadonlySet<string>;
  readonly #groups: Map<string, Map<string, MailRecord>>;
  readonly #notes = new Map<string, Omit<Note, "of"> & { of: Set<string> }>();

  constructor(setup: MailSetup) {
    this.setup = canonicalSetup(setup);
    this.certified = patternSet(setup.acme.flatMap(({ names }) => names));
    this.policyHosts = patternSet(setup.mtaSts.mx);
    const domains = this.setup.domains.map(({ name }) => name);
    this.#domains = new Set(domains);
    this.#groups = new Map(domains.map((domain) => [domain, new Map<string, MailRecord>()]));
  }

  /** Whether a name is one of the mail domains itself. */
  isDomain(name: string): boolean {
    return this.#domains.has(name);
  }

  /** The longest mail domain that holds a name; the name itself where none does. */
  domainOf(name: string): string {
    return nearest(name, this.#domains) ?? name;
  }

  add(name: string, purpose: Purpose, data: RecordData): void {
    const under = this.domainOf(name);
    const group = this.#groups.get(under) ?? new Map<string, MailRecord>();
    this.#groups.set(under, group);
    const key = JSON.stringify([name, data]);
    if (!group.has(key)) group.set(key, { name, under, purpose, ...data });
  }

  note(of: string, note: Omit<Note, "of">): void {
    const key = JSON.stringify(note);
    const known = this.#notes.get(key) ?? { ...note, of: new Set<string>() };
    known.of.add(of);
    this.#notes.set(key, known);
  }

  /** Domain by domain, in the order of the config. */
  records(): MailRecord[] {
    return [...this.#groups.values()].flatMap((group) => [...group.values()]);
  }

  /** What is missing first, and of that what mail fails without. */
  notes(): Note[] {
    const rank = ({ state, need }: Note) => ORDER.indexOf(state) * 2 + (need === "required" ? 0 : 1);
    return [...this.#notes.values()]
      .map((note) => ({ ...note, of: [...note.of] }))
      .toSorted((a, b) => rank(a) - rank(b));
  }
}

const canonicalSetup = (setup: MailSetup): MailSetup => ({
  ...setup,
  mailHost: canonicalName(setup.mailHost),
  domains: setup.domains.map((domain) => ({
    ...domain,
    name: canonicalName(domain.name),
    hosts: domain.hosts.map(canonicalName),
  })),
});
