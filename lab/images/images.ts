import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Layer } from "./pack.ts";
import { labCa } from "../ca.ts";
import type { Layout } from "../topology.ts";
import { withLock } from "../lock.ts";
import { toolPath } from "../programs.ts";
import { alpineUserland, USERLAND } from "./alpine.ts";
import { debianLayer } from "./debian.ts";
import { FACTS, type LayoutName } from "./facts.ts";
import { hashOfFile, keyOf } from "./key.ts";
import { RECIPE_VERSION, RECIPES } from "./recipes.ts";
import { ImageStore, SCRAP, type Manifest } from "./store.ts";

export const IMAGE_NAMES = ["anchor", "sidecar", "stalwart", "edge"] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

/** The layouts that the lab's stack runs on. */
export const BUILT: Record<ImageName, LayoutName> = {
  // Under a name of its own, so that the one can change without the other.
  anchor: "sidecar",
  sidecar: "sidecar",
  stalwart: "stalwart-0.15",
  edge: "edge",
};

/** Where Debian and Alpine keep the CAs that programs trust. */
const TRUSTED = "etc/ssl/certs/ca-certificates.crt";

/** What building and packing images takes. */
export interface Workshop {
  layout: Layout;
  store: ImageStore;
  cacheDir: string;
  log: (line: string) => void;
}

/** Runs work on the cache of images; one process at a time. */
export async function inWorkshop<T>(
  layout: Layout,
  log: (line: string) => void,
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  const cacheDir = imageCache(layout);
  const store = new ImageStore(cacheDir);
  const locked = () => {
    removeScraps(cacheDir);
    return work({ layout, store, cacheDir, log });
  };
  return withLock(cacheDir, locked, () => log("another process is building them; waiting for it"));
}

export function imageCache(layout: Pick<Layout, "cacheDir">): string {
  return join(layout.cacheDir, "images");
}

/** What a killed build left. Only the owner of the lock may call this. */
function removeScraps(cacheDir: string): void {
  for (const folder of [cacheDir, join(cacheDir, "blobs")])
    for (const name of readdirSync(folder))
      if (name.startsWith(SCRAP)) rmSync(join(folder, name), { recursive: true, force: true });
}

/**
 * Makes an image of a layout, or takes it from the cache. Needs no Docker and, with cached layers,
 * no network.
 */
export async function buildLayout(workshop: Workshop, name: LayoutName): Promise<Manifest> {
  const { programs, make, userland } = RECIPES[name];
  const { store, log } = workshop;
  const base =
    userland === "alpine"
      ? await packed(workshop, "alpine", USERLAND, alpineUserland)
      : await debianLayer(store, userland, log);
  const own = await packed(workshop, name, programs, async (folder) => {
    label(folder);
    await make(folder);
  });
  const layers = [base, own, ...(name.startsWith("stalwart") ? [await caLayer(workshop)] : [])];
  return store.addImage(FACTS[name].config, layers);
}

/**
 * A layer by which the lab's CA, and no other, is trusted: Stalwart orders its certificates from
 * the lab's ACME server.
 */
export async function caLayer({ layout, store }: Workshop): Promise<Layer> {
  const ca = await labCa(layout);
  return store.layer(keyOf("lab-ca", await hashOfFile(ca)), (folder) => {
    mkdirSync(dirname(join(folder, TRUSTED)), { recursive: true });
    copyFileSync(ca, join(folder, TRUSTED));
    chmodSync(join(folder, TRUSTED), 0o644);
    chmodSync(folder, 0o755);
  });
}

/** The layer that `make` makes of programs, by their content. */
async function packed(
  { store, log }: Workshop,
  name: string,
  programs: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<Layer> {
  const hashes = await Promise.all(programs.map((program) => hashOfFile(toolPath(program))));
  const key = keyOf(name, RECIPE_VERSION, programs, hashes);
  return store.layer(key, async (folder) => {
    log(`packing ${name}`);
    await make(folder);
    chmodSync(folder, 0o755);
  });
}

/** Marks the image as the lab's own, so that nobody takes it for an official one. */
function label(folder: string): void {
  mkdirSync(join(folder, "etc"), { recursive: true });
  writeFileSync(join(folder, "etc/tailwart-lab-image"), "Built by tailwart's lab. Not an official image.\n");
}
