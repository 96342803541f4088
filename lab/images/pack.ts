import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { run, SYSTEM_ENV } from "../run.ts";

/** A blob of the registry: a layer, an image's config or a manifest. */
export interface Blob {
  digest: string;
  size: number;
}

export interface Layer extends Blob {
  /** Digest of the uncompressed tar. */
  diffId: string;
}

const ATTRIBUTES = ["--numeric-owner", "--xattrs", "--xattrs-include=security.capability"];

/** Packs a folder into a compressed layer. `exclude` names in tar's patterns what is left out. */
export async function packLayer(folder: string, exclude: readonly string[], target: string): Promise<Layer> {
  const tar = spawn(
    "tar",
    [
      "--create",
      "--format=pax",
      "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
      "--sort=name",
      "--mtime=@0",
      ...ATTRIBUTES,
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
  await pipeline(
    tar.stdout,
    tap((chunk) => plain.update(chunk)),
    createGzip({ level: 1 }),
    tap((chunk) => {
      packed.update(chunk);
      size += chunk.length;
    }),
    createWriteStream(target),
  );
  if ((await ended) !== 0) throw new Error(`tar of ${folder} failed: ${complaints.trim()}`);
  return { digest: `sha256:${packed.digest("hex")}`, diffId: `sha256:${plain.digest("hex")}`, size };
}

/** Unpacks a compressed layer over what is in a folder. */
export async function unpackLayer(file: string, folder: string): Promise<void> {
  const args = ["--extract", "--gzip", ...ATTRIBUTES, `--directory=${folder}`, `--file=${file}`];
  await run("tar", args, { timeout: 300_000 });
  // A layer's way to say that a file of an earlier one is gone (OCI image spec, "Whiteouts").
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!basename(name).startsWith(".wh.")) continue;
    rmSync(join(folder, dirname(name), basename(name).slice(".wh.".length)), {
      recursive: true,
      force: true,
    });
    rmSync(join(folder, name), { force: true });
  }
}

function tap(see: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}
