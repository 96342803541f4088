/** A record's data, by its type. Names are in lower case and without the dot at their end. */
export type RecordData =
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "MX"; readonly preference: number; readonly exchange: string }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      /** "" is the root, which says that there is no such service (RFC 2782). */
      readonly target: string;
    }
  | { readonly type: "TXT"; readonly text: string }
  | {
      readonly type: "CAA";
      readonly flags: number;
      /** Such as issue or issuewild. */
      readonly tag: string;
      readonly value: string;
    };

/** What a record is for; {@link PURPOSES} says it in words. */
export type Purpose = keyof typeof PURPOSES;

/** One record, and below which of the mail domains it stands. */
export type MailRecord = RecordData & {
  readonly name: string;
  /** The mail domain that holds the name; the name itself where none does. */
  readonly under: string;
  readonly purpose: Purpose;
};

/** Whether mail fails without it, or is only worse off. */
export type Need = "required" | "recommended";

interface PurposeWords {
  readonly need: Need;
  readonly what: string;
}

/** What the kinds of record do. */
export const PURPOSES = {
  host: { need: "required", what: "the mail host: leads to every edge" },
  mx: { need: "required", what: "where other servers bring the domain's mail" },
  spf: { need: "required", what: "from which addresses the domain's mail leaves" },
  dkim: { need: "required", what: "the keys that prove the domain's mail" },
  dmarc: { need: "required", what: "what receivers do with mail that is not proved, and whom they tell" },
  dmarcReports: { need: "required", what: "lets reports on another domain come to this one" },
  caa: { need: "recommended", what: "which CA may sign for the name" },
  web: { need: "recommended", what: "the policy of MTA-STS, and how mail programs find their settings" },
  mtaSts: { need: "recommended", what: "other servers ask for the policy of MTA-STS anew when it changes" },
  tlsRpt: { need: "recommended", what: "whom other servers tell of failed TLS" },
  srv: { need: "recommended", what: "how mail programs find the services; 0 0 0 . is not offered" },
} as const satisfies Record<string, PurposeWords>;

/** A name with the dot at its end, as zone files write it. @example absolute("") === "." */
export const absolute = (name: string): string => `${name}.`;

/** A name as records have it: in lower case (RFC 4343), no dot at its end. */
export const canonicalName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/**
 * A TXT record's text as strings of at most 255 octets (RFC 1035 §3.3); readers of SPF, DKIM and
 * the like join them without a blank (RFC 7208 §3.3).
 *
 * @example textStrings("v=spf1 ~all") // ["v=spf1 ~all"]
 */
export function textStrings(text: string): string[] {
  const strings = [""];
  let octets = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (octets + size > 255) {
      strings.push("");
      octets = 0;
    }
    strings[strings.length - 1] += character;
    octets += size;
  }
  return strings;
}

/** The name of an IPv4 address' PTR record. @example reverseName("192.0.2.1") */
export const reverseName = (address: string): string =>
  `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
