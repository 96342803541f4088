import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Blob, type Layer, packLayer, unpackLayer } from "./pack.ts";

/** How a container of the image starts, in the words of Docker's image specification. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  User?: string;
  WorkingDir?: string;
  Env?: string[];
  Volumes?: Record<string, object>;
  /** Durations in nanoseconds. */
  Healthcheck?: {
    Test: string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    Retries?: number;
  };
}

/**
 * An image's config in full, as far as it is touched here; the rest of a given image's goes along.
 */
interface ImageDocument {
  architecture: string;
  os: string;
  created: string;
  config: ImageConfig;
  rootfs: { type: string; diff_ids: string[] };
  history?: object[];
}

export interface Manifest {
  digest: string;
  mediaType: string;
  body: string;
  /** The config, then the layers, lowest first. */
  blobs: Blob[];
}

/** How the names of unfinished files and folders in the cache begin. */
export const SCRAP = "new-";

const MEDIA = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};
/** A fixed time: the same parts are the same image. */
const CREATED = "1970-01-01T00:00:00Z";
const HISTORY = { created: CREATED, created_by: "tailwart lab" };
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Layers and configs of the lab's images, by digest, in a folder of the cache. */
export class ImageStore {
  private readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(join(dir, "blobs"), { recursive: true });
    mkdirSync(join(dir, "layers"), { recursive: true });
  }

  /**
   * The layer that is kept under a key; where there is none, the one that `make` makes in an empty
   * folder.
   *
   * @param exclude tar patterns of what is left out
   */
  async layer(
    key: string,
    make: (folder: string) => Promise<void> | void,
    exclude: readonly string[] = [],
  ): Promise<Layer> {
    const kept = this.keptLayer(key);
    if (kept) return kept;
    const folder = mkdtempSync(join(this.dir, `${SCRAP}${key}-`));
    try {
      await make(folder);
      return await this.addLayer(key, folder, exclude);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private keptLayer(key: string): Layer | undefined {
    if (!existsSync(this.layerFile(key))) return undefined;
    const layer = JSON.parse(readFileSync(this.layerFile(key), "utf8")) as Layer;
    return existsSync(this.blobFile(layer.digest)) ? layer : undefined;
  }

  /**
   * Owners, modes and file capabilities stay; times are set to 0 and names are sorted, so the same
   * content has the same digest.
   */
  private async addLayer(key: string, folder: string, exclude: readonly string[]): Promise<Layer> {
    const fresh = join(this.dir, "blobs", `${SCRAP}${key}`);
    try {
      const layer = await packLayer(folder, exclude, fresh);
      renameSync(fresh, this.blobFile(layer.digest));
      this.write(this.layerFile(key), JSON.stringify(layer));
      return layer;
    } finally {
      rmSync(fresh, { force: true });
    }
  }

  /** Puts layers together to an image and returns its manifest, whose digest is the image's. */
  addImage(config: ImageConfig, layers: readonly Layer[]): Manifest {
    const document: ImageDocument = {
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: "linux",
      created: CREATED,
      config: { ...config, Env: [DEFAULT_PATH, ...(config.Env ?? [])] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => HISTORY),
    };
    return this.addManifest(document, layers);
  }

  /**
   * Takes over an image that skopeo has written as a folder (containers-transports(5), `dir`) in
   * Docker's format, with layers of ours on top of its own. The folder loses its files.
   */
  adopt(folder: string, extra: readonly Layer[]): Manifest {
    const { config, layers } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
      config: Blob;
      layers: Blob[];
    };
    for (const { digest } of layers)
      if (!existsSync(this.blobFile(digest))) renameSync(join(folder, hexOf(digest)), this.blobFile(digest));
    const document = JSON.parse(readFileSync(join(folder, hexOf(config.digest)), "utf8")) as ImageDocument;
    document.rootfs.diff_ids.push(...extra.map(({ diffId }) => diffId));
    document.history?.push(...extra.map(() => HISTORY));
    return this.addManifest(document, [...layers, ...extra]);
  }

  /** How an image's containers start. */
  configOf({ blobs }: Manifest): ImageConfig {
    return (JSON.parse(readFileSync(this.blobFile(blobs[0]?.digest ?? ""), "utf8")) as ImageDocument).config;
  }

  /** Unpacks an image's layers over each other, with owners and file capabilities: as root only. */
  async unpack({ blobs }: Manifest, folder: string): Promise<void> {
    for (const { digest } of blobs.slice(1)) await unpackLayer(this.blobFile(digest), folder);
  }

  private addManifest(document: ImageDocument, layers: readonly Blob[]): Manifest {
    const configBlob = this.addText(JSON.stringify(document));
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.manifest,
      config: { mediaType: MEDIA.config, ...configBlob },
      layers: layers.map(({ digest, size }) => ({ mediaType: MEDIA.layer, digest, size })),
    });
    return { digest: digestOf(body), mediaType: MEDIA.manifest, body, blobs: [configBlob, ...layers] };
  }

  blobFile(digest: string): string {
    return join(this.dir, "blobs", digest.replace(":", "-"));
  }

  private addText(text: string): Blob {
    const blob = { digest: digestOf(text), size: Buffer.byteLength(text) };
    if (!existsSync(this.blobFile(blob.digest))) this.write(this.blobFile(blob.digest), text);
    return blob;
  }

  private layerFile(key: string): string {
    return join(this.dir, "layers", `${key}.json`);
  }

  /** All or nothing: a killed process leaves no half-written file under the final name. */
  private write(path: string, text: string): void {
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  }
}

const ARCHITECTURES: Partial<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** The name of a blob in skopeo's folder. */
const hexOf = (digest: string) => digest.replace("sha256:", "");

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
