import { absolute, type MailRecord, type RecordData, textStrings } from "../record.ts";

/**
 * A record's data as a zone file has it (RFC 1035 §5.1; CAA: RFC 8659 §4.1.1).
 *
 * @example dataOf(record) // "10 mail.example.org."
 */
export function dataOf(record: RecordData): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.address;
    case "MX":
      return `${record.preference} ${absolute(record.exchange)}`;
    case "SRV":
      return `${record.priority} ${record.weight} ${record.port} ${absolute(record.target)}`;
    case "TXT":
      return textStrings(record.text).map(quoted).join(" ");
    case "CAA":
      return `${record.flags} ${record.tag} ${quoted(record.value)}`;
  }
}

/** A character-string: quotes and backslashes after a backslash, what is no ASCII by its octets. */
function quoted(text: string): string {
  const octets = [...Buffer.from(text)].map((octet) => {
    const character = String.fromCharCode(octet);
    if (character === '"' || character === "\\") return `\\${character}`;
    return octet >= 0x20 && octet < 0x7f ? character : `\\${String(octet).padStart(3, "0")}`;
  });
  return `"${octets.join("")}"`;
}

/**
 * A text from its strings in quotes, which readers join; as it is where it has none.
 *
 * @example textOf('"v=spf1 " "~all"') === "v=spf1 ~all"
 */
export function textOf(presented: string): string {
  if (!/^\s*"/.test(presented)) return presented;
  const inner = [...presented.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, string = ""]) => string).join("");
  const octets = [...inner.matchAll(/\\(\d{3})|\\?(.)/gsu)].map(([, number, character = ""]) =>
    number === undefined ? Buffer.from(character) : Buffer.from([Number(number)]),
  );
  return Buffer.concat(octets).toString();
}

/** Records by the mail domain that they stand below, in their order. */
export function byDomain(records: readonly MailRecord[]): Map<string, MailRecord[]> {
  const groups = new Map<string, MailRecord[]>();
  for (const record of records) {
    const group = groups.get(record.under);
    if (group) group.push(record);
    else groups.set(record.under, [record]);
  }
  return groups;
}
