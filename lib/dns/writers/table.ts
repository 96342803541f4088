import type { MailRecords } from "../mail-records.ts";
import { type MailRecord, PURPOSES } from "../record.ts";
import { byDomain, dataOf } from "./presentation.ts";
import { wrap } from "../../wrap.ts";
import { noteLines, ONE_EACH, WIDTH } from "./words.ts";

/** Columns of the types' column: that of the longest, CAA's 3, and three blanks. */
const TYPE = 6;
/** Columns that a name has at most before its value goes on to a line of its own. */
const WIDEST_NAME = 36;

/**
 * The records for people who click them together at their provider: what mail fails without first,
 * each kind under what it does; 80 columns, as far as names and values can be broken.
 *
 * @param title what the records are of
 */
export function recordTable({ records, notes }: MailRecords, title: string): string {
  const lines = [
    ...wrap(title, WIDTH),
    "",
    ...wrap(ONE_EACH, WIDTH),
    ...[...byDomain(records)].flatMap(([domain, own]) => ["", domain, ...rowsOf(own)]),
    "",
    ...noteLines(notes),
  ];
  return `${lines.join("\n")}\n`;
}

function rowsOf(records: readonly MailRecord[]): string[] {
  const width = Math.min(WIDEST_NAME, Math.max(...records.map(({ name }) => name.length)));
  return Object.entries(PURPOSES).flatMap(([purpose, { need, what }]) => {
    const those = records.filter((record) => record.purpose === purpose);
    const optional = need === "recommended" ? " (recommended)" : "";
    return those.length === 0
      ? []
      : [...wrap(`${what}${optional}`, WIDTH, "  "), ...those.flatMap((record) => row(record, width))];
  });
}

function row(record: MailRecord, width: number): string[] {
  const head = `    ${record.type.padEnd(TYPE)}${record.name.padEnd(width)}`;
  const indent = " ".repeat(6 + TYPE);
  // Providers' forms add the quotes themselves.
  const value = record.type === "TXT" ? record.text : dataOf(record);
  const oneLine = `${head}  ${value}`;
  return oneLine.length <= WIDTH ? [oneLine] : [head.trimEnd(), ...wrap(value, WIDTH, indent)];
}
