import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import { run } from "../run.ts";
import { keyOf } from "./key.ts";
import { SCRAP, type ImageStore, type Layer } from "./store.ts";

const SUITE = "bookworm";
const PACKAGES = [
  "ca-certificates",
  "curl",
  // tailscaled sets routes and rules with these two.
  "iproute2",
  "iptables",
  // nc -z of the health command; wget reads /healthz.
  "netcat-openbsd",
  "wget",
  "procps",
  // getcap, to see that Stalwart's file capability is there.
  "libcap2-bin",
];
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

/**
 * The layer that all images stand on: a minimal Debian, as debootstrap makes it from the machine's own package archive.
 * About 40 s when it is not in the cache.
 */
export async function baseLayer(
  store: ImageStore,
  cacheDir: string,
  log: (line: string) => void,
): Promise<Layer> {
  const key = keyOf("base", SUITE, PACKAGES, EXCLUDE, process.arch);
  const kept = store.keptLayer(key);
  if (kept) return kept;
  log(`making a Debian ${SUITE} as their base (about 40 s)`);
  const folder = mkdtempSync(join(cacheDir, `${SCRAP}base-`));
  try {
    const mirror = await archive();
    // Own mounts and process ids: what debootstrap mounts and starts ends with it, also when it is killed.
    const isolated = "--mount --pid --fork --kill-child --mount-proc".split(" ");
    const debootstrap = [
      "debootstrap",
      "--variant=minbase",
      `--include=${PACKAGES.join(",")}`,
      SUITE,
      folder,
    ];
    const endsWithUs = ["--pdeathsig=KILL", "nice", "unshare"];
    await run("setpriv", [...endsWithUs, ...isolated, ...debootstrap, ...mirror], { timeout: 900_000 });
    return await store.addLayer(key, folder, EXCLUDE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The package archive that this machine uses; nothing when there is none to be seen: then debootstrap's own default. */
async function archive(): Promise<string[]> {
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const { stdout } = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    allowFailure: true,
  });
  const line = stdout.split("\n").find((each) => each.startsWith(`${SUITE} main `));
  return line ? [line.split(" ")[2] ?? ""] : [];
}
