/**
 * Names by which {@link isAmong} looks: `*.` and a domain stands for one label, in MTA-STS (RFC
 * 8461 §4.1) as in certificates (RFC 6125 §6.4.3).
 */
export const patternSet = (names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => name.toLowerCase()));

/**
 * Whether a name is one of these, or has one label before a domain whose `*.` is among them.
 *
 * @example isAmong("mail.example.org", patternSet(["*.example.org"])) === true
 */
export const isAmong = (name: string, patterns: ReadonlySet<string>): boolean =>
  patterns.has(name) || patterns.has(`*${name.slice(name.indexOf("."))}`);
