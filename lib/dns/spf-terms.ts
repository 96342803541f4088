/** What an SPF record says, for who reads one: the policies as well (RFC 7208). */

/** Lookups that a receiver makes for one record before it gives up for good (§4.6.4). */
export const MOST_LOOKUPS = 10;

/** Mechanisms and the modifier for which a receiver asks the DNS (§4.6.4). */
const ASKS = /^(?:[+?~-]?(?:include:|exists:|(?:a|mx|ptr)(?=[:/]|$))|redirect=)/i;

/** True for a value that a receiver takes for an SPF record (§4.5). */
export const isSpf = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

/** The terms of an SPF record, without the version. */
export const spfTerms = (text: string): string[] => text.split(/ +/).slice(1).filter(Boolean);

/**
 * How many of the ten lookups a record costs by its own terms; each `include:` costs what is in it
 * as well, which only its own record tells.
 *
 * @example spfLookups("v=spf1 ip4:192.0.2.25 include:_spf.example.net ~all") === 1
 */
export const spfLookups = (text: string): number => spfTerms(text).filter((term) => ASKS.test(term)).length;
