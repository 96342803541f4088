import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startDaemon, stopDaemon } from "./daemon.ts";
import { imageCache, type ImageName } from "./images/images.ts";
import type { PushRequest } from "./images/push.ts";
import { ImageStore, type Manifest } from "./images/store.ts";
import type { Layout } from "./topology.ts";
import { toolPath } from "./programs.ts";
import { isOpen, runInNetns } from "./run.ts";

const PUSH = fileURLToPath(new URL("images/push.ts", import.meta.url));

/**
 * Starts the lab's registry (Debian's docker-registry). What it stores is in the cache, so a second
 * lab need not push.
 */
export async function startRegistry(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  mkdirSync(join(imageCache(layout), "registry"), { recursive: true });
  const daemon = { machine, name: "registry", ...serve(layout, "registry", layout.registry, {}) };
  return startDaemon(daemon, () => answers(layout, layout.registry));
}

/**
 * Starts a second one over the same images, which gives them to nobody who does not log in.
 *
 * @param line `user:bcrypt` as htpasswd(1) writes it
 * @returns how to end it
 */
export async function startLoginRegistry(layout: Layout, line: string): Promise<() => Promise<void>> {
  const machine = layout.machines.net;
  const daemon = { machine, name: "login-registry" };
  const path = join(machine.dir, "htpasswd");
  writeFileSync(path, `${line}\n`, { mode: 0o600 });
  const auth = { htpasswd: { realm: "lab", path } };
  const served = serve(layout, daemon.name, layout.loginRegistry, { auth });
  await startDaemon({ ...daemon, ...served }, () => answers(layout, layout.loginRegistry));
  return () => stopDaemon(daemon);
}

/** How a registry at this address is run. */
function serve(layout: Layout, name: string, address: string, more: object) {
  const configFile = join(layout.machines.net.dir, `${name}.yml`);
  const rootdirectory = join(imageCache(layout), "registry");
  // YAML is a superset of JSON.
  const config = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory }, maintenance: { uploadpurging: { enabled: false } } },
    http: { addr: `0.0.0.0:${address.split(":")[1]}`, secret: "nothing here is secret" },
    ...more,
  };
  writeFileSync(configFile, JSON.stringify(config, null, 2));
  const command = [toolPath("docker-registry"), "serve", configFile];
  return { command, env: { OTEL_TRACES_EXPORTER: "none" } };
}

/** Pushes what the registry lacks. Returns what was pushed. */
export async function pushImages(
  layout: Layout,
  images: readonly { name: ImageName; manifest: Manifest }[],
): Promise<string[]> {
  const store = new ImageStore(imageCache(layout));
  const request: PushRequest = {
    registry: `http://${layout.registry}`,
    images: images.map(({ name, manifest }) => ({
      repository: `tailwart/${name}`,
      manifest,
      files: Object.fromEntries(manifest.blobs.map(({ digest }) => [digest, store.blobFile(digest)])),
    })),
  };
  const { stdout } = await runInNetns(layout.machines.net.netns, [process.execPath, PUSH], {
    stdin: JSON.stringify(request),
    timeout: 300_000,
  });
  return stdout.split("\n").filter(Boolean);
}

function answers(layout: Layout, registry: string): Promise<boolean> {
  const [address = "", port = ""] = registry.split(":");
  return isOpen(layout.machines.net.netns, address, port);
}
