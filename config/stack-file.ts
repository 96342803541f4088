import { loadConfig } from "./load.ts";
import { isSecure, placeholderOf } from "./placeholder.ts";
import type { Config } from "./schema.ts";

/**
 * The config of a stack's file. Its secrets stay encrypted: none of them is part of the config.
 *
 * @param values the file's `config`, by `tailwart:<key>`
 * @throws UserError when the config is refused
 */
export function stackFileConfig(values: Readonly<Record<string, unknown>>): Config {
  const texts = Object.entries(values).map(([key, value]) => {
    const text = isSecure(value) ? placeholderOf(key, values) : value;
    return [key, typeof text === "string" ? text : JSON.stringify(text)];
  });
  return loadConfig(Object.fromEntries(texts) as Record<string, string>, (key) => isSecure(values[key]))
    .config;
}
