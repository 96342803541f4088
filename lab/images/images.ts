import {
  chownSync,
  copyFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { labCa } from "../ca.ts";
import type { Layout } from "../layout.ts";
import { withLock } from "../lock.ts";
import { toolPath } from "../programs.ts";
import { run } from "../run.ts";
import { baseLayer } from "./base.ts";
import { hashOfFile, keyOf } from "./key.ts";
import { ImageStore, SCRAP, type ImageConfig, type Layer, type Manifest } from "./store.ts";

export const IMAGE_NAMES = ["sidecar", "stalwart", "edge"] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];
export type Images = Record<ImageName, Manifest>;

/** What is in an image above the base, and how it starts. */
interface Recipe {
  programs: readonly string[];
  config: ImageConfig;
  /** Trusts the lab's CA, and no other, by the system's list. */
  trustsLabCa?: boolean;
  /** Adds to the layer's folder what is not a program. */
  prepare?: (folder: string) => Promise<void> | void;
}

/** The owner of Stalwart's files and process in the official image. */
const STALWART_ID = 2000;

const RECIPES: Record<ImageName, Recipe> = {
  // As tailscale/tailscale.
  sidecar: {
    programs: ["tailscaled", "tailscale", "containerboot"],
    config: { Cmd: ["/usr/local/bin/containerboot"] },
    prepare: (folder) => {
      mkdirSync(join(folder, "var/lib/tailscale"), { recursive: true });
    },
  },
  // As stalwartlabs/stalwart: same user, same paths, and the same file capability, without which an exec under
  // no-new-privileges and NET_BIND_SERVICE alone would not show what production does.
  stalwart: {
    programs: ["stalwart"],
    config: {
      User: `${STALWART_ID}:${STALWART_ID}`,
      WorkingDir: "/var/lib/stalwart",
      Entrypoint: ["/usr/local/bin/stalwart"],
      Cmd: ["--config", "/etc/stalwart/config.toml"],
    },
    // It orders its certificates from the lab's ACME server.
    trustsLabCa: true,
    async prepare(folder) {
      for (const path of ["etc/stalwart", "var/lib/stalwart"]) {
        mkdirSync(join(folder, path), { recursive: true });
        chownSync(join(folder, path), STALWART_ID, STALWART_ID);
      }
      const capable = join(folder, "usr/local/bin/stalwart");
      await run("setcap", ["cap_net_bind_service=+ep", capable]);
    },
  },
  edge: {
    programs: ["caddy"],
    config: { Cmd: ["caddy", "run", "--config", "/etc/caddy/caddy.json"] },
    prepare: (folder) => {
      for (const path of ["etc/caddy", "data", "config"]) mkdirSync(join(folder, path), { recursive: true });
    },
  },
};
/** Changed when `prepare` makes something else. */
const RECIPE_VERSION = 1;

/** Where Debian keeps the CAs that its programs trust. */
const TRUSTED = "etc/ssl/certs/ca-certificates.crt";

/** Makes the lab's three images, or takes them from the cache. Needs no Docker and, with a cached base, no network. */
export async function buildImages(layout: Layout, log: (line: string) => void = () => {}): Promise<Images> {
  const cacheDir = imageCache(layout);
  const store = new ImageStore(cacheDir);
  const work = async () => {
    removeScraps(cacheDir);
    const base = await baseLayer(store, cacheDir, log);
    const ca = await labCa(layout);
    const built = {} as Images;
    for (const name of IMAGE_NAMES) {
      const layer = await programLayer(store, cacheDir, name, ca, log);
      built[name] = store.addImage(RECIPES[name].config, [base, layer]);
    }
    return built;
  };
  return withLock(cacheDir, work, () => log("another process is building them; waiting for it"));
}

/** The image as a container names it: registry, repository and digest. */
export function imageReference(layout: Layout, name: ImageName, digest: string): string {
  return `${layout.registry}/tailwart/${name}@${digest}`;
}

/** Where `up` notes the images of a lab, by name. */
export function imagesFile(layout: Layout): string {
  return join(layout.stateDir, "images.json");
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

async function programLayer(
  store: ImageStore,
  cacheDir: string,
  name: ImageName,
  ca: string,
  log: (line: string) => void,
): Promise<Layer> {
  const { programs, prepare, trustsLabCa = false } = RECIPES[name];
  const paths = programs.map((program) => toolPath(program));
  const ingredients = trustsLabCa ? [...paths, ca] : paths;
  const key = keyOf(name, RECIPE_VERSION, programs, await Promise.all(ingredients.map(hashOfFile)));
  const kept = store.keptLayer(key);
  if (kept) return kept;
  log(`packing ${name}`);
  const folder = mkdtempSync(join(cacheDir, `${SCRAP}${name}-`));
  try {
    const bin = join(folder, "usr/local/bin");
    mkdirSync(bin, { recursive: true });
    programs.forEach((program, index) => {
      copyFileSync(paths[index] ?? "", join(bin, program));
      chmodSync(join(bin, program), 0o755);
    });
    label(folder);
    if (trustsLabCa) {
      mkdirSync(dirname(join(folder, TRUSTED)), { recursive: true });
      copyFileSync(ca, join(folder, TRUSTED));
      chmodSync(join(folder, TRUSTED), 0o644);
    }
    await prepare?.(folder);
    chmodSync(folder, 0o755);
    return await store.addLayer(key, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Marks the layer as the lab's own, so that nobody takes the image for an official one. */
function label(folder: string): void {
  mkdirSync(join(folder, "etc"), { recursive: true });
  writeFileSync(join(folder, "etc/tailwart-lab-image"), "Built by tailwart's lab. Not an official image.\n");
}
