import { UserError } from "../lib/errors.ts";
import { refusalsFor } from "../lib/settings/generations.ts";
import type { StalwartSettings } from "../lib/settings/schema.ts";
import { generationOf, type Line } from "../lib/stalwart/line.ts";
import { keyPath } from "./key-path.ts";

/** Parts of the desired state that are keys of their own in the config; the rest stands below `settings`. */
const OWN_KEYS = new Set<string | number | undefined>(["acme", "dnsProvider", "accounts"]);

/**
 * Refuses what the stack's line of Stalwart does not offer, before anything is registered.
 *
 * @throws UserError that names each key of the config, why, and what is accepted instead
 */
export function refuseUnoffered(line: Line, settings: StalwartSettings): void {
  const refusals = refusalsFor(generationOf(line), settings).map(({ path, message }) => ({
    path: keyPath(OWN_KEYS.has(path[0]) ? path : ["settings", ...path]),
    message,
  }));
  const [first] = refusals;
  if (!first) return;
  const lines = refusals.map(({ path, message }) => `  ${path}: ${message}`);
  throw new UserError(
    `The stack's config asks for what Stalwart ${line} does not offer; nothing was changed.\n${lines.join("\n")}`,
    { path: first.path },
  );
}
