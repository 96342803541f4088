/**
 * Records that somebody else has set where tailwart's own are to be: they stop a deploy until the
 * config says in `dns.adopt` that they may go.
 */
import { parseDocument } from "yaml";

import { NAMESPACE } from "../../config/key-path.ts";
import { ownSets, planSets, type RecordSets, type SetPlan, setOf } from "../../lib/dns/record-sets.ts";
import { setsOfTexts } from "../../lib/dns/record-texts.ts";
import { isRecord, record } from "../../lib/json-values.ts";
import type { ZoneReader } from "../../verify/doctor/zone.ts";

/** A set that holds what is neither declared nor from the last deploy. */
export type Foreign = SetPlan["foreign"][number];

/** Names that are asked for at a time. */
const AT_ONCE = 20;

/**
 * What the zones' own servers have of these sets, each value that any of them shows.
 *
 * @throws Error when a set's servers say nothing
 */
export async function liveSets(keys: readonly string[], zone: Pick<ZoneReader, "published">) {
  const live: RecordSets = {};
  for (let at = 0; at < keys.length; at += AT_ONCE)
    await Promise.all(
      keys.slice(at, at + AT_ONCE).map(async (key) => {
        const { name, type } = setOf(key);
        const answers = await zone.published(name, type);
        const values = answers.flatMap((answer) => answer.values ?? []);
        if (answers.every((answer) => answer.values === undefined))
          throw new Error(`nobody says what ${key} is: ${answers[0]?.error ?? "its zone has no server"}`);
        live[key] = [...new Set(values)];
      }),
    );
  return live;
}

/** The records that the last deploy has written, from a stack's state; {} before the first one. */
export function writtenIn(state: string): RecordSets {
  const { deployment } = JSON.parse(state) as { deployment?: { resources?: unknown[] } };
  const resource = (deployment?.resources ?? []).find(
    (each) => isRecord(each) && each["type"] === "tailwart:dns:RecordSet",
  );
  const outputs = isRecord(resource) && isRecord(resource["outputs"]) ? resource["outputs"] : {};
  const { records, dkim, others } = outputs;
  const sets = setsOfTexts(record(records), record(dkim) as Record<string, string>);
  return ownSets({ records: sets, others: record(others) as RecordSets });
}

/** What stands in the way of a deploy, whatever of it is adopted already left out. */
export const foreignIn = (
  live: RecordSets,
  wanted: RecordSets,
  written: RecordSets,
  adopted: readonly string[],
): Foreign[] => planSets(live, wanted, written, adopted).foreign;

/**
 * Takes sets into `dns.adopt`.
 *
 * @param text the stack's config file; its comments and its order are kept
 * @param keys as `"example.org MX"`
 */
export function adoptRecords(text: string, keys: readonly string[]): string {
  const document = parseDocument(text);
  const path = ["config", `${NAMESPACE}:dns`, "adopt"];
  const node: unknown = document.getIn(path);
  const before =
    isRecord(node) && typeof node["toJSON"] === "function" ? (node["toJSON"] as () => unknown)() : [];
  const known = Array.isArray(before) ? before.map(String) : [];
  document.setIn(path, [...new Set([...known, ...keys])]);
  return document.toString({ lineWidth: 0 });
}

/** What was taken into the file and what is in the way still, for a person. */
export function describeAdopted(file: string, taken: readonly string[], left: readonly Foreign[]): string {
  const lines = left.flatMap(({ key, live, wanted }) => [
    `  ${key}`,
    ...live.map((value) => `    there is: ${value}`),
    ...wanted.map((value) => `    wanted:   ${value}`),
  ]);
  return [
    ...(taken.length > 0 ? [`The next \`up\` replaces (dns.adopt of ${file}): ${taken.join(", ")}`] : []),
    ...(left.length > 0 ? ["These are not the stack's, and stop a deploy that writes its records:"] : []),
    ...lines,
    ...(left.length + taken.length === 0 ? ["Nothing is in the way of the stack's records."] : []),
  ].join("\n");
}
