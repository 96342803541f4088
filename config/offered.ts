import { UserError } from "../lib/errors.ts";
import { refusalsFor } from "../lib/settings/generations.ts";
import type { StalwartSettings } from "../lib/settings/schema.ts";
import { generationOf, type Line } from "../lib/stalwart/line.ts";
import { keyPath } from "./key-path.ts";

/** Parts of the desired state that are keys of their own in the config; the rest stands below `settings`. */
const OWN_KEYS = new Set<string | number | undefined>([
  "acme",
  "dnsProvider",
  "accounts",
  "domains",
  "groups",
]);

/**
 * Refuses what the stack's line of Stalwart does not offer, before anything is registered.
 *
 * @param takeOver the config's settings.takeOver, which is no part of the desired state
 * @throws UserError that names each key of the config, why, and what is accepted instead
 */
export function refuseUnoffered(line: Line, settings: StalwartSettings, takeOver: boolean): void {
  const generation = generationOf(line);
  const refusals = refusalsFor(generation, settings).map(({ path, message }) => ({
    path: keyPath(inConfig(path)),
    message,
  }));
  if (takeOver && generation === "settings")
    refusals.push({
      path: keyPath(["settings", "takeOver"]),
      message:
        "a first deploy of the 0.15 line writes over what is there, and asks nobody; accepts false: leave it out",
    });
  const [first] = refusals;
  if (!first) return;
  const lines = refusals.map(({ path, message }) => `  ${path}: ${message}`);
  throw new UserError(
    `The stack's config asks for what Stalwart ${line} does not offer; nothing was changed.\n${lines.join("\n")}`,
    { path: first.path },
  );
}

/**
 * Where the config has a field of the desired state; an account's own address and its others are
 * two keys, a login at Redis one.
 */
function inConfig(path: (string | number)[]): (string | number)[] {
  const [list, index = 0, field, place] = path;
  if ((list === "accounts" || list === "groups") && field === "emails")
    return place === 0 ? [list, index, "address"] : [list, index, "aliases", Number(place) - 1];
  if (list === "inMemoryStore" && index === "auth") return ["settings", list, "username"];
  return OWN_KEYS.has(list) ? path : ["settings", ...path];
}
