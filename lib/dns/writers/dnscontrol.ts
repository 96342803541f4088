import type { MailRecords } from "../mail-records.ts";
import { absolute, type MailRecord, textStrings } from "../record.ts";
import { byDomain } from "./presentation.ts";
import { wrap } from "../../wrap.ts";
import { noteLines, ONE_EACH, WIDTH } from "./words.ts";

/**
 * The records as a piece of dnscontrol's dnsconfig.js, in the JavaScript that it knows (ES5).
 *
 * `D_EXTEND` finds the zone by itself, the longest that holds the name, so a mail domain need not
 * be a zone of its own: https://docs.dnscontrol.org/language-reference/top-level-functions/d_extend
 *
 * @param title what the records are of
 */
export function dnscontrolSnippet({ records, notes }: MailRecords, title: string): string {
  const [first] = records;
  const lines = [
    ...wrap(title, WIDTH, "// "),
    ...wrap(
      "For dnsconfig.js, below the D() of each zone. One that is not there yet begins with",
      WIDTH,
      "// ",
    ),
    `//   D("${first?.under ?? "example.org"}", NewRegistrar("none"),`,
    '//     DnsProvider(NewDnsProvider("NAME")), NO_PURGE);',
    ...wrap(
      "NAME is its entry of creds.json. NO_PURGE keeps what is in the zone and not here, an old SPF record, too.",
      WIDTH,
      "// ",
    ),
    ...wrap(ONE_EACH, WIDTH, "// "),
    ...noteLines(notes, "// "),
    ...[...byDomain(records)].flatMap(([domain, own]) => [
      "",
      `D_EXTEND(${quote(domain)},`,
      ...own.map((record) => `  ${callOf(record, domain)},`),
      "END);",
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

const quote = (text: string): string => JSON.stringify(text);

function callOf(record: MailRecord, domain: string): string {
  const label = record.name === domain ? "@" : record.name.slice(0, -domain.length - 1);
  return `${record.type}(${[quote(label), ...argumentsOf(record)].join(", ")})`;
}

function argumentsOf(record: MailRecord): (string | number)[] {
  switch (record.type) {
    case "A":
    case "AAAA":
      return [quote(record.address)];
    case "MX":
      return [record.preference, quote(absolute(record.exchange))];
    case "SRV":
      return [record.priority, record.weight, record.port, quote(absolute(record.target))];
    case "TXT": {
      const [only = "", ...more] = textStrings(record.text);
      return [more.length === 0 ? quote(only) : JSON.stringify([only, ...more])];
    }
    case "CAA":
      return [quote(record.tag), quote(record.value)];
  }
}
