/**
 * How the registry (0.16 and later) spells values: a set is an object of `true`s and a list one of
 * numbered keys, since the server refuses arrays; durations are milliseconds. Source: the schema
 * that a 0.16.18 server serves at /api/schema.
 */
export type Json = Record<string, unknown>;

/**
 * `Object/label` of a row, or `Object` alone for a singleton → the properties that are declared.
 * @example { "MtaRoute/smarthost": { port: 587 } }
 */
export type RegistryObjects = Record<string, Json>;

/** A set as the registry has it. @example setOf(["mail"]) // { mail: true } */
export const setOf = (members: readonly string[]): Record<string, true> =>
  Object.fromEntries(members.map((member) => [member, true as const]));

/** A list as the registry has it. @example listOf(["a"]) // { "0": "a" } */
export const listOf = (members: readonly unknown[]): Json =>
  Object.fromEntries(members.map((member, i) => [String(i), member]));

/**
 * An address or a network as the server writes it back (Rust's `IpAddr`: RFC 5952), a whole address
 * without its length.
 *
 * @example networkOf("2001:DB8:0::1/128") === "2001:db8::1"
 */
export function networkOf(text: string): string {
  const [address = "", length] = text.split("/");
  const isLong = address.includes(":");
  const spelled = isLong ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  const dotted = spelled.replace(/^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/, (_, ...halves: string[]) => {
    const bytes = halves.slice(0, 2).flatMap((half) => [parseInt(half, 16) >> 8, parseInt(half, 16) & 255]);
    return `::ffff:${bytes.join(".")}`;
  });
  return length === undefined || length === (isLong ? "128" : "32") ? dotted : `${dotted}/${length}`;
}

/**
 * A secret that the server reads from a file of its container: it reads back as it is, and lies in
 * no database (lesson 2).
 */
export const secretFrom = (filePath: string): Json => ({ "@type": "File", filePath });

/** Marks a property whose value is another row's id, which the server makes up. */
export const REFERENCE = "#ref";

/**
 * Names another row; the provider puts its id in the place.
 * @example reference("DnsServer/rfc2136") // { "#ref": "DnsServer/rfc2136" }
 */
export const reference = (key: string): Json => ({ [REFERENCE]: key });

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time such as "1d". @example durationOf("1d") === 86400000 */
export const durationOf = (time: string): number =>
  Number.parseInt(time, 10) * (UNITS[time.at(-1) ?? ""] ?? 0);

/** A rate such as "100/1d". @example rateOf("100/1d") // { count: 100, period: 86400000 } */
export function rateOf(rate: string | false): Json | null {
  const [count, period] = (rate || "").split("/");
  return count && period ? { count: Number(count), period: durationOf(period) } : null;
}
