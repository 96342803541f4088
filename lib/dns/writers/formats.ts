import type { MailRecords } from "../mail-records.ts";
import { PURPOSES } from "../record.ts";
import { dnscontrolSnippet } from "./dnscontrol.ts";
import { dataOf } from "./presentation.ts";
import { recordTable } from "./table.ts";
import { zoneLines } from "./zone.ts";

/**
 * For programs: each record as {@link MailRecords} has it, with its data as a zone file writes it
 * and whether mail fails without it.
 */
function json({ records, notes }: MailRecords): string {
  const told = records.map((record) => ({
    ...record,
    data: dataOf(record),
    need: PURPOSES[record.purpose].need,
  }));
  return `${JSON.stringify({ records: told, notes }, null, 2)}\n`;
}

/** The ways in which records are printed, by the command's word for each. */
export const FORMATS = {
  table: recordTable,
  zone: zoneLines,
  dnscontrol: dnscontrolSnippet,
  json,
} as const satisfies Record<string, (records: MailRecords, title: string) => string>;

export type Format = keyof typeof FORMATS;
