/** Mechanisms and the modifier for which a receiver asks the DNS (RFC 7208 §4.6.4). */
const ASKS = /^(?:[+?~-]?(?:include:|exists:|(?:a|mx|ptr)(?=[:/]|$))|redirect=)/i;

/** True for a value that a receiver takes for an SPF record (RFC 7208 §4.5). */
export const isSpf = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

/** The terms of an SPF record, without the version. */
export const spfTerms = (text: string): string[] => text.split(/ +/).slice(1).filter(Boolean);

/** How often a receiver asks the DNS for the record's own terms; what they lead to asks more. */
export const spfLookups = (text: string): number => spfTerms(text).filter((term) => ASKS.test(term)).length;
