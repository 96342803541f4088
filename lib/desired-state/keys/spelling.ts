/** How Stalwart's 0.15 line spells values in flat keys. */

/**
 * Stalwart's key → its value. Lists are spelled `key.0000`, `key.0001`; a set's members are keys
 * with an empty value.
 */
export type SettingKeys = Record<string, string>;

/**
 * A value that the server reads from a file of its container; expanded in its config file alone
 * (boot.rs).
 */
export const file = (path: string) => `%{file:${path}}%`;

/** @example list("a", ["x"]) // { "a.0000": "x" } */
export function list(key: string, values: readonly string[]): SettingKeys {
  return Object.fromEntries(values.map((value, i) => [`${key}.${String(i).padStart(4, "0")}`, value]));
}

/**
 * An if-block: rules in order, and what holds when none matches; without rules a single value
 * (expr/if_block.rs).
 */
export function ifBlock(
  key: string,
  rules: readonly [condition: string, then: string][],
  otherwise: string,
): SettingKeys {
  if (rules.length === 0) return { [key]: otherwise };
  const keys: SettingKeys = {};
  const at = (i: number) => `${key}.${String(i).padStart(4, "0")}`;
  rules.forEach(([condition, then], i) => {
    keys[`${at(i)}.if`] = condition;
    keys[`${at(i)}.then`] = then;
  });
  keys[`${at(rules.length)}.else`] = otherwise;
  return keys;
}
