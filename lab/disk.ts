import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { hostRoot, releaseOf, type Release } from "./host-root.ts";
import type { Layout, Machine } from "./topology.ts";

/**
 * Shell that gives a machine a disk of its own: a Debian from the cache below, what is written
 * above, in the machine's state folder, so that it is there again after a power cut. Of the outer
 * world it sees the devices, the kernel's modules, the toolchain (read-only) and its own state
 * folder, each under the outer path.
 */
export const OWN_DISK = `
disk=$DIR/disk
root=$disk/root
mkdir -p "$disk/upper" "$disk/work" "$root"
mount -t overlay -o "lowerdir=$ROOT,upperdir=$disk/upper,workdir=$disk/work" tailwart "$root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tailwart "$root/run"
mkdir -p "$root/run/lock" "$root$INSIDE" "$root$DIR" "$root$TOOLS" "$root/lib/modules"
mount --bind "$DIR" "$root$INSIDE"
mount --bind "$DIR" "$root$DIR"
mount --bind -o ro "$TOOLS" "$root$TOOLS"
[ ! -d /lib/modules ] || mount --bind -o ro /lib/modules "$root/lib/modules"
cd "$root"
pivot_root . mnt
cd /
umount --lazy /mnt
`;

/** What OWN_DISK has to know. Makes the cached Debian where it is not there yet. */
export async function diskEnvironment(layout: Layout, machine: Machine): Promise<Record<string, string>> {
  return {
    ROOT: await hostRoot(layout, releaseOnDisk(machine)),
    TOOLS: join(layout.cacheDir, "tools"),
  };
}

/** The release that a machine's disk was begun with: for a new one, that which is asked for. */
export function releaseOnDisk(machine: Machine): Release {
  const file = join(machine.dir, "disk", "release");
  if (existsSync(file)) return readFileSync(file, "utf8") as Release;
  const release = releaseOf();
  mkdirSync(join(machine.dir, "disk"), { recursive: true });
  writeFileSync(file, release);
  return release;
}
