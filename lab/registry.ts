import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startDaemon, waitForDaemon } from "./daemon.ts";
import { IMAGE_NAMES, imageCache, type Images } from "./images/images.ts";
import type { PushOrder } from "./images/push.ts";
import { ImageStore } from "./images/store.ts";
import type { Layout } from "./layout.ts";
import { toolPath } from "./programs.ts";
import { runInNetns } from "./run.ts";

const PUSH = fileURLToPath(new URL("images/push.ts", import.meta.url));

/** Starts the lab's registry (Debian's docker-registry). What it stores is in the cache, so a second lab need not push. */
export async function startRegistry(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  const daemon = { machine, name: "registry" };
  const storage = join(imageCache(layout), "registry");
  mkdirSync(storage, { recursive: true });
  const configFile = join(machine.dir, "registry.yml");
  // YAML is a superset of JSON.
  const config = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, maintenance: { uploadpurging: { enabled: false } } },
    http: { addr: "0.0.0.0:5000", secret: "nothing here is secret" },
  };
  writeFileSync(configFile, JSON.stringify(config, null, 2));
  const command = [toolPath("docker-registry"), "serve", configFile];
  const env = { OTEL_TRACES_EXPORTER: "none" };
  const started = await startDaemon(layout, { ...daemon, command, env });
  await waitForDaemon(layout, daemon, () => answers(layout));
  return started;
}

/** Pushes what the registry lacks. Returns what was pushed. */
export async function pushImages(layout: Layout, images: Images): Promise<string[]> {
  const store = new ImageStore(imageCache(layout));
  const order: PushOrder = {
    registry: `http://${layout.registry}`,
    images: IMAGE_NAMES.map((name) => ({
      repository: `tailwart/${name}`,
      manifest: images[name],
      files: Object.fromEntries(images[name].blobs.map(({ digest }) => [digest, store.blobFile(digest)])),
    })),
  };
  const { stdout } = await runInNetns(layout.machines.net.netns, [process.execPath, PUSH], {
    stdin: JSON.stringify(order),
    timeout: 300_000,
  });
  return stdout.split("\n").filter(Boolean);
}

async function answers(layout: Layout): Promise<boolean> {
  const probe = ["bash", "-c", `: < /dev/tcp/${layout.registry.replace(":", "/")}`];
  return (await runInNetns(layout.machines.net.netns, probe, { allowFailure: true })).code === 0;
}
