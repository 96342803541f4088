// Lists of senders of spam, by DNS (RFC 5782): what each says of addresses, where it is believed.
import { isIPv4 } from "node:net";

import { ipv6Bytes } from "../../lib/address-ranges.ts";
import { noneOrThrow } from "../../lib/dns/authorities.ts";
import { wordsOf } from "../../lib/errors.ts";

/** A list that anybody may ask, as seldom as a doctor does. */
export interface Blocklist {
  name: string;
  zone: string;
  /** Where it tells about an address, and takes it off. */
  page: (address: string) => string;
  /** Whether receivers refuse by it; they only score by the others. */
  refused: boolean;
  /** Answers that say no more than that mail should not come from there directly. */
  policy?: readonly string[];
  /** Whether it lists IPv6 addresses. */
  ipv6?: true;
}

/**
 * Spamhaus: free of charge for few questions and no commerce, and not by public resolvers
 * (https://www.spamhaus.org/zen/, https://www.spamhaus.org/news/article/788/). SpamCop advises
 * against refusing by it (https://www.spamcop.net/bl.shtml). PSBL: anybody may use it
 * (https://psbl.org/howto/).
 */
export const BLOCKLISTS: readonly Blocklist[] = [
  {
    name: "Spamhaus ZEN",
    zone: "zen.spamhaus.org",
    page: (address) => `https://check.spamhaus.org/results/?query=${address}`,
    refused: true,
    policy: ["127.0.0.10", "127.0.0.11"],
    ipv6: true,
  },
  {
    name: "SpamCop",
    zone: "bl.spamcop.net",
    page: (address) => `https://www.spamcop.net/w3m?action=checkblock&ip=${address}`,
    refused: false,
  },
  {
    name: "PSBL",
    zone: "psbl.surriel.com",
    page: (address) => `https://psbl.org/listing?ip=${address}`,
    refused: false,
  },
];

/** What a list says. */
export interface Listing {
  list: Blocklist;
  /** Address → its answers; one that is not listed has none. */
  listed: ReadonlyMap<string, readonly string[]>;
  /** Why none of that is to be believed; "" where it is. */
  doubt: string;
  /** Whether it did answer, if not of addresses. */
  refuses: boolean;
}

/** The entry that every list has, and the one that none may have (RFC 5782 §5). */
const [LISTED, UNLISTED] = ["127.0.0.2", "127.0.0.1"];

/**
 * Codes that say something of who asks and nothing of the address
 * (https://www.spamhaus.org/news/article/788/).
 */
const isRefusal = (answer: string): boolean => answer.startsWith("127.255.255.");

/** What one list says of addresses. Never throws. */
export async function askList(
  resolver: { resolve4: (name: string) => Promise<string[]> },
  list: Blocklist,
  addresses: readonly string[],
): Promise<Listing> {
  const ask = (address: string): Promise<string[]> =>
    resolver.resolve4(`${reversed(address)}.${list.zone}`).catch(noneOrThrow);
  const asked = addresses.filter((address) => isIPv4(address) || list.ipv6);
  const nothing = { list, listed: new Map<string, string[]>(), refuses: false };
  try {
    const [test, counter, ...answers] = await Promise.all([LISTED, UNLISTED, ...asked].map(ask));
    const all = [test, counter, ...answers].flatMap((each = []) => each);
    if (all.some(isRefusal))
      return {
        ...nothing,
        refuses: true,
        doubt: `does not answer this machine's resolver (${all.find(isRefusal)})`,
      };
    if (test?.length === 0)
      return { ...nothing, refuses: true, doubt: "is not to be had by this machine's resolver" };
    if (counter?.length !== 0 || all.some((answer) => !answer.startsWith("127.")))
      return {
        ...nothing,
        refuses: true,
        doubt: "lists everybody, so that it is given up or its name taken",
      };
    return {
      ...nothing,
      listed: new Map(asked.map((address, at) => [address, answers[at] ?? []])),
      doubt: "",
    };
  } catch (error) {
    return { ...nothing, doubt: `cannot be asked: ${wordsOf(error)}` };
  }
}

/**
 * An address as lists have it (RFC 5782 §2.1, §2.4).
 *
 * @example reversed("192.0.2.99") === "99.2.0.192"
 */
export function reversed(address: string): string {
  const parts = isIPv4(address) ? address.split(".") : [...ipv6Bytes(address).toString("hex")];
  return parts.toReversed().join(".");
}
