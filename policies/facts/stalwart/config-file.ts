/** Stalwart's config file, and the pieces of it that a program uploads. */
import { parse as parseToml } from "smol-toml";

import { walk, type Path } from "../../framework/values.ts";
import type { StalwartKeys } from "./flat-keys.ts";

/**
 * The keys of a TOML file as Stalwart flattens them, nested or not: lists by numbers of four
 * digits. Undefined when it is no TOML.
 */
export function keysOfToml(text: string, place: string): StalwartKeys | undefined {
  try {
    const leaves = walk(parseToml(text)).leaves;
    const flat = (path: Path): string =>
      path.map((part) => (typeof part === "number" ? String(part).padStart(4, "0") : part)).join(".");
    return {
      values: new Map(leaves.map(({ path, value }) => [flat(path), String(value)])),
      where: (key) => `${place} ${key}`,
      gaps: [],
    };
  } catch {
    return undefined;
  }
}
