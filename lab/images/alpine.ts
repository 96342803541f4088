import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { toolPath } from "../programs.ts";
import { run } from "../run.ts";

/** What Alpine's image has beside programs, as far as programs look for it. */
const FOLDERS = "dev etc home mnt opt proc root run srv sys usr/lib usr/local/bin var/lib var/log".split(" ");
const FILES = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
  "etc/group": "root:x:0:root\nnobody:x:65534:\n",
  "etc/shells": "/bin/sh\n/bin/ash\n",
};

/** Programs that the userland is made of. */
export const USERLAND = ["busybox", "getent"] as const;

/** Makes Alpine's userland in a folder: BusyBox and its links, musl's getent. */
export async function alpineUserland(folder: string): Promise<void> {
  for (const path of FOLDERS) mkdirSync(join(folder, path), { recursive: true });
  for (const path of ["tmp", "var/tmp"]) {
    mkdirSync(join(folder, path), { recursive: true });
    chmodSync(join(folder, path), 0o1777);
  }
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(folder, path), text);
  const { stdout } = await run(toolPath("busybox"), ["--list-full"]);
  for (const applet of stdout.split("\n").filter(Boolean)) link(folder, `/${applet}`, "/bin/busybox");
  place(folder, toolPath("busybox"), "/bin/busybox");
  place(folder, toolPath("getent"), "/usr/bin/getent");
}

/** Programs of the machine that `alpinePackages` copies. */
export const PACKAGES = ["xtables-nft-multi", "xtables-legacy-multi", "ip"] as const;

/**
 * Adds the packages iptables, iptables-legacy, ip6tables and iproute2, with the links of
 * tailscale's Dockerfile.base. The programs are the machine's own, with what they are linked with;
 * Alpine's are the same for musl. What matters is which name leads to which of the two families.
 */
export async function alpinePackages(folder: string): Promise<void> {
  place(folder, toolPath("xtables-nft-multi"), "/usr/sbin/xtables-nft-multi");
  place(folder, toolPath("xtables-legacy-multi"), "/usr/sbin/xtables-legacy-multi");
  place(folder, toolPath("ip"), "/sbin/ip");
  for (const program of PACKAGES) await copyLibraries(folder, toolPath(program));
  for (const name of ["iptables", "ip6tables"]) {
    for (const end of ["", "-restore", "-save"]) {
      link(folder, `/usr/sbin/${name}${end}`, "xtables-nft-multi");
      link(folder, `/usr/sbin/${name}-nft${end}`, "xtables-nft-multi");
      link(folder, `/usr/sbin/${name}-legacy${end}`, "xtables-legacy-multi");
    }
    // Dockerfile.base does so for these two names and leaves -restore and -save as they are.
    link(folder, `/usr/sbin/${name}`, `/usr/sbin/${name}-legacy`);
  }
}

/** Copies a program to a path of the image, in the place of what is there. */
export function place(folder: string, program: string, path: string): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  // Copied onto a link, it would take the place of what the link leads to.
  copyFileSync(program, `${target}.new`);
  chmodSync(`${target}.new`, 0o755);
  renameSync(`${target}.new`, target);
}

function link(folder: string, path: string, target: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  rmSync(join(folder, path), { force: true });
  symlinkSync(target, join(folder, path));
}

/** Shared libraries, the loader, and the modules that the packet filter loads by itself. */
async function copyLibraries(folder: string, program: string): Promise<void> {
  const { stdout } = await run("ldd", [program]);
  const libraries = stdout.match(/\/\S+(?= \(0x)/g) ?? [];
  for (const library of libraries) place(folder, library, library);
  const modules = libraries.map((library) => join("/usr", dirname(library), "xtables"));
  for (const path of new Set(modules.filter((each) => existsSync(each))))
    cpSync(path, join(folder, path), { recursive: true });
}
