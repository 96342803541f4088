/**
 * Fakes of lists of senders, by DNS: zones that list nobody but the entry for tests, until a hand
 * adds somebody. The real ones are out of reach.
 *
 * Known from RFC 5782 §2.1 (names and answers) and §5 (127.0.0.2 is listed, 127.0.0.1 is not),
 * https://www.spamhaus.org/faq/section/DNSBL%20Usage (three lists in one answer),
 * https://www.spamcop.net/bl.shtml and https://psbl.org/howto/.
 */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  "zen.spamhaus.org": ["127.0.0.2", "127.0.0.4", "127.0.0.10"],
  "bl.spamcop.net": ["127.0.0.2"],
  "psbl.surriel.com": ["127.0.0.2"],
};

/** Zone → its records. */
export const FAKE_BLOCKLISTS: Record<string, string[]> = Object.fromEntries(
  Object.entries(LISTS).map(([zone, answers]) => [
    zone,
    answers.map((answer) => `2.0.0.127.${zone}. A ${answer}`),
  ]),
);
