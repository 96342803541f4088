import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { SYSTEM_ENV } from "../run.ts";

/** A blob of the registry: a layer, an image's config or a manifest. */
export interface Blob {
  digest: string;
  size: number;
}

export interface Layer extends Blob {
  /** Digest of the uncompressed tar. */
  diffId: string;
}

/** How a container of the image starts, in the words of Docker's image specification. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  User?: string;
  WorkingDir?: string;
  Env?: string[];
}

export interface Manifest {
  digest: string;
  mediaType: string;
  body: string;
  blobs: Blob[];
}

/** How the names of unfinished files and folders in the cache begin. */
export const SCRAP = "new-";

const MEDIA = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Layers and configs of the lab's images, by digest, in a folder of the cache. */
export class ImageStore {
  private readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(join(dir, "blobs"), { recursive: true });
    mkdirSync(join(dir, "layers"), { recursive: true });
  }

  /** The layer that was kept under this key, or undefined. */
  keptLayer(key: string): Layer | undefined {
    if (!existsSync(this.layerFile(key))) return undefined;
    const layer = JSON.parse(readFileSync(this.layerFile(key), "utf8")) as Layer;
    return existsSync(this.blobFile(layer.digest)) ? layer : undefined;
  }

  /**
   * Packs a folder as a layer and keeps it under a key. Owners, modes and file capabilities stay; times are set to 0 and names are
   * sorted, so the same content has the same digest.
   *
   * @param exclude tar patterns of what is left out
   */
  async addLayer(key: string, folder: string, exclude: readonly string[] = []): Promise<Layer> {
    const tar = spawn(
      "tar",
      [
        "--create",
        "--format=pax",
        "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
        "--sort=name",
        "--mtime=@0",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=security.capability",
        ...exclude.map((pattern) => `--exclude=${pattern}`),
        `--directory=${folder}`,
        ".",
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: SYSTEM_ENV },
    );
    let complaints = "";
    tar.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    const ended = new Promise<number | null>((resolve) => tar.once("close", resolve));
    const plain = createHash("sha256");
    const packed = createHash("sha256");
    let size = 0;
    const fresh = join(this.dir, "blobs", `${SCRAP}${key}`);
    try {
      await pipeline(
        tar.stdout,
        tap((chunk) => plain.update(chunk)),
        createGzip({ level: 1 }),
        tap((chunk) => {
          packed.update(chunk);
          size += chunk.length;
        }),
        createWriteStream(fresh),
      );
      if ((await ended) !== 0) throw new Error(`tar of ${folder} failed: ${complaints.trim()}`);
      const layer: Layer = {
        digest: `sha256:${packed.digest("hex")}`,
        diffId: `sha256:${plain.digest("hex")}`,
        size,
      };
      renameSync(fresh, this.blobFile(layer.digest));
      this.write(this.layerFile(key), JSON.stringify(layer));
      return layer;
    } finally {
      rmSync(fresh, { force: true });
    }
  }

  /** Puts layers together to an image and returns its manifest, whose digest is the image's. */
  addImage(config: ImageConfig, layers: readonly Layer[]): Manifest {
    const document = {
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: "linux",
      // A fixed time: the same parts are the same image.
      created: "1970-01-01T00:00:00Z",
      config: { ...config, Env: [DEFAULT_PATH, ...(config.Env ?? [])] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "tailwart lab" })),
    };
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

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function tap(see: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}
