import { debianArchive } from "../tools/debian.mjs";
import { run } from "./run.ts";

/**
 * Makes a minimal Debian in a folder, with what is to be in it beside the essential packages. Takes
 * a minute or two.
 *
 * @param suite Debian's code name, such as "bookworm"
 * @param packages by name; one that others only provide (`default-dbus-system-bus`) has to be named
 *   by the package that provides it
 */
export async function debootstrap(suite: string, packages: readonly string[], folder: string): Promise<void> {
  // Own mounts and process ids: what debootstrap mounts and starts ends with it, also when it is
  // killed.
  const isolated = "--mount --pid --fork --kill-child --mount-proc".split(" ");
  const command = ["debootstrap", "--variant=minbase", `--include=${packages.join(",")}`, suite, folder];
  const endsWithUs = ["--pdeathsig=KILL", "nice", "unshare"];
  await run("setpriv", [...endsWithUs, ...isolated, ...command, debianArchive()], { timeout: 900_000 });
}
