import type { Layer } from "./pack.ts";
import { debootstrap } from "../debootstrap.ts";
import { run } from "../run.ts";
import { keyOf } from "./key.ts";
import type { ImageStore } from "./store.ts";

/** debian:trixie-slim is debootstrap's smallest variant without its documentation. */
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
  { packages, commands = [] }: DebianUserland,
  log: (line: string) => void,
): Promise<Layer> {
  const key = keyOf("debian", SUITE, packages, commands, EXCLUDE, process.arch);
  const make = async (folder: string) => {
    log(`making a Debian ${SUITE} with ${packages.join(", ")} (about 40 s)`);
    await debootstrap(SUITE, packages, folder);
    for (const command of commands) await run("chroot", [folder, ...command]);
  };
  return store.layer(key, make, EXCLUDE);
}
