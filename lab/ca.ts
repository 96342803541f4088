import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

import type { Layout } from "./topology.ts";
import { withLock } from "./lock.ts";
import { run } from "./run.ts";

/** A fresh key for a certificate, in openssl's options. */
export const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "3650"];

/**
 * The CA of the lab's internet: it vouches for the ACME server, and the lab's image of Stalwart
 * trusts it as others trust the public ones. Made once and kept in the cache, as the image is.
 *
 * @returns the root certificate's file
 */
export async function labCa({ cacheDir }: Pick<Layout, "cacheDir">): Promise<string> {
  const { folder, root, key } = filesIn(cacheDir);
  if (existsSync(root)) return root;
  await withLock(folder, async () => {
    if (existsSync(root)) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // openssl makes the key's file with mode 0600.
    const files = ["-keyout", key, "-out", `${root}.new`];
    await run("openssl", ["req", "-x509", ...KEY, "-subj", "/CN=tailwart lab CA", ...files]);
    renameSync(`${root}.new`, root);
  });
  return root;
}

/** Makes a server's key.pem and cert.pem in a folder, signed by the lab's CA. */
export async function issue(layout: Layout, host: string, folder: string): Promise<void> {
  const root = await labCa(layout);
  const signed = ["-CA", root, "-CAkey", filesIn(layout.cacheDir).key];
  const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  // Without it openssl makes another CA, which rustls takes for no server's certificate.
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  await run("openssl", ["req", "-x509", ...signed, ...KEY, ...subject, ...leaf, ...files]);
}

function filesIn(cacheDir: string) {
  const folder = join(cacheDir, "lab-ca");
  return { folder, root: join(folder, "root.pem"), key: join(folder, "root.key") };
}
