/** How Stalwart's 0.15 line spells values in flat keys. */

/** Stalwart's key → its value. Lists are spelled `key.0000`, `key.0001`; a set's members are keys with an empty value. */
export type SettingKeys = Record<string, string>;

/** A value that the server reads from a file of its container; expanded in its config file alone (boot.rs). */
export const file = (path: string) => `%{file:${path}}%`;

/** @example list("a", ["x"]) // { "a.0000": "x" } */
export function list(key: string, values: readonly string[]): SettingKeys {
  return Object.fromEntries(values.map((value, i) => [`${key}.${String(i).padStart(4, "0")}`, value]));
}
