/** Records as sets: all that a name has of one type, which is what a deploy compares. */
import type { MailRecord, RecordData } from "./record.ts";
import type { RecordType } from "./record-data.ts";
import { isSpf } from "./spf-terms.ts";
import { dataOf } from "./writers/presentation.ts";

/**
 * `name TYPE` → values, as `readData` gives them.
 * @example { "example.org MX": ["10 mail.example.org."] }
 */
export type RecordSets = Record<string, string[]>;

/** Where sets can be written, by the `type` of tailwart:dnsProvider. */
export const WRITERS = ["rfc2136", "spaceship", "cloudflare", "desec"] as const;

/** What a set's key says. @example setOf("a.org MX") // { name: "a.org", type: "MX" } */
export function setOf(key: string): { name: string; type: RecordType } {
  const [name = "", type = ""] = key.split(" ");
  return { name, type: type as RecordType };
}

/** A record's value in a set. @example valueOf({ type: "TXT", text: "v=spf1 ~all" }) */
export const valueOf = (record: RecordData): string => (record.type === "TXT" ? record.text : dataOf(record));

/** The records, set by set. */
export function recordSets(records: readonly MailRecord[]): RecordSets {
  const sets: RecordSets = {};
  for (const record of records) (sets[`${record.name} ${record.type}`] ??= []).push(valueOf(record));
  return sets;
}

/**
 * Whether readers take two values of a set for an error, or for none: each text that mail needs
 * (RFC 7208 §4.5, 7489 §6.6.3, 6376 §3.6.2.2, 8461 §3.1, 8460 §3). Where no step puts one in the
 * other's place the old one goes first, since none for a moment is no error.
 */
export const isSingle = (key: string): boolean => setOf(key).type === "TXT";

/**
 * The values of a set that a reader would take for ours, or beside ours: another MX, a second SPF
 * record. Texts of other kinds at a domain's own name are other people's, and no concern of ours.
 */
export function rivalsIn(key: string, values: readonly string[]): string[] {
  const { name, type } = setOf(key);
  // Below a label with an underscore stands one thing alone (RFC 8552).
  if (type !== "TXT" || /(?:^|\.)_/.test(name)) return [...values];
  return values.filter(isSpf);
}

/**
 * What a stack itself has written, by its state.
 *
 * @param state.others what a refresh has seen beside it
 */
export function ownSets(state: { records?: RecordSets; others?: RecordSets } = {}): RecordSets {
  const { records = {}, others = {} } = state;
  return Object.fromEntries(
    Object.entries(records).map(([key, values]) => [
      key,
      values.filter((value) => !others[key]?.includes(value)),
    ]),
  );
}

/** What becomes of one set. */
export interface SetChange {
  key: string;
  remove: readonly string[];
  add: readonly string[];
}

/** What is to be written, and what stands in the way. */
export interface SetPlan {
  changes: SetChange[];
  /** Sets that hold what is neither declared nor from the last deploy. */
  foreign: { key: string; live: string[]; wanted: string[] }[];
}

/**
 * @param live every value that the sets have
 * @param previous what the last deploy has written
 * @param adopted keys of sets whose foreign values may go
 */
export function planSets(
  live: RecordSets,
  desired: RecordSets,
  previous: RecordSets,
  adopted: readonly string[],
): SetPlan {
  const plan: SetPlan = { changes: [], foreign: [] };
  for (const key of new Set([...Object.keys(desired), ...Object.keys(previous)])) {
    const [wanted, ours] = [desired[key] ?? [], previous[key] ?? []];
    const there = live[key] ?? [];
    const rivals = rivalsIn(key, there);
    const foreign = rivals.filter((value) => !wanted.includes(value) && !ours.includes(value));
    const blocked = foreign.length > 0 && wanted.length > 0 && !adopted.includes(key);
    if (blocked) plan.foreign.push({ key, live: foreign, wanted });
    const goes = wanted.length > 0 ? rivals : rivals.filter((value) => ours.includes(value));
    const remove = goes.filter((value) => !wanted.includes(value));
    const add = wanted.filter((value) => !there.includes(value));
    if (!blocked && remove.length + add.length > 0) plan.changes.push({ key, remove, add });
  }
  return plan;
}
