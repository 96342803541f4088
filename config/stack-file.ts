import { loadConfig } from "./load.ts";
import { hasUse, isSecure, placeholderOf } from "./placeholder.ts";
import type { Config } from "./schema.ts";
import { secretSchema } from "./schema/secrets.ts";

/**
 * The config of a stack's file. Its secrets stay encrypted: none of them is part of the config.
 *
 * @param values the file's `config`, by `tailwart:<key>`
 * @param options.secretsLater take a file whose secrets are not set yet, as a fresh clone's are.
 *   Default: a missing one is refused, as a deploy would
 * @throws UserError when the config is refused
 */
export function stackFileConfig(
  values: Readonly<Record<string, unknown>>,
  { secretsLater = false }: { secretsLater?: boolean } = {},
): Config {
  const missing = Object.keys(secretSchema.shape)
    .filter((name) => secretsLater && hasUse(name, values))
    .map((name) => `tailwart:${name}`)
    .filter((key) => !(key in values));
  const all: Record<string, unknown> = {
    ...Object.fromEntries(missing.map((key) => [key, { secure: "" }])),
    ...values,
  };
  const texts = Object.entries(all).map(([key, value]) => {
    const text = isSecure(value) ? placeholderOf(key, all) : value;
    return [key, typeof text === "string" ? text : JSON.stringify(text)];
  });
  return loadConfig(Object.fromEntries(texts) as Record<string, string>, (key) => isSecure(all[key])).config;
}
