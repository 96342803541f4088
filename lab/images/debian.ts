import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { Layer } from "./pack.ts";
import { debootstrap } from "../debootstrap.ts";
import { run } from "../run.ts";
import { keyOf } from "./key.ts";
import { SCRAP, type ImageStore } from "./store.ts";

/**
 * What debian:trixie-slim is made of: debootstrap's smallest variant, without its documentation.
 */
const SUITE = "trixie";
const EXCLUDE = [
  "./var/cache/apt/*",
  "./var/lib/apt/lists/*",
  "./var/log/*",
  "./var/cache/ldconfig/aux-cache",
  "./usr/share/doc/*",
  "./usr/share/man/*",
  "./usr/share/locale/*",
  "./dev/*",
];

/** A Debian userland. */
export interface DebianUserland {
  /** Packages beside the smallest set. */
  packages: readonly string[];
  /** Commands that are run in it, such as `groupadd`. */
  commands?: readonly (readonly string[])[];
}

/**
 * The layer of an image that stands on Debian 13, as debootstrap makes it from the machine's own
 * package archive. About 40 s when it is not in the cache.
 */
export async function debianLayer(
  store: ImageStore,
  cacheDir: string,
  { packages, commands = [] }: DebianUserland,
  log: (line: string) => void,
): Promise<Layer> {
  const key = keyOf("debian", SUITE, packages, commands, EXCLUDE, process.arch);
  const kept = store.keptLayer(key);
  if (kept) return kept;
  log(`making a Debian ${SUITE} with ${packages.join(", ")} (about 40 s)`);
  const folder = mkdtempSync(join(cacheDir, `${SCRAP}debian-`));
  try {
    await debootstrap(SUITE, packages, folder);
    for (const command of commands) await run("chroot", [folder, ...command]);
    return await store.addLayer(key, folder, EXCLUDE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
