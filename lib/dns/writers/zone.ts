import type { MailRecords } from "../mail-records.ts";
import { absolute } from "../record.ts";
import { byDomain, dataOf } from "./presentation.ts";
import { wrap } from "../../wrap.ts";
import { noteLines, ONE_EACH, WIDTH } from "./words.ts";

/**
 * The records as lines of a zone file (RFC 1035 §5.1), each with its whole name, so that they may
 * stand in any zone's file; what else there is to say is comments.
 *
 * @param title what the records are of
 */
export function zoneLines({ records, notes }: MailRecords, title: string): string {
  const lines = [
    ...wrap(title, WIDTH, "; "),
    ...wrap(ONE_EACH, WIDTH, "; "),
    ...noteLines(notes, "; "),
    ...[...byDomain(records)].flatMap(([domain, own]) => [
      "",
      `; ${domain}`,
      ...own.map((record) => `${absolute(record.name)} IN ${record.type} ${dataOf(record)}`),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}
