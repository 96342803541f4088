import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { debootstrap } from "./debootstrap.ts";
import { keyOf } from "./images/key.ts";
import type { Layout } from "./topology.ts";
import { withLock } from "./lock.ts";

/** The Debian releases that the lab's Docker hosts can be, and what Docker comes with each. */
export const RELEASES = { bookworm: "20.10", trixie: "26.1" } as const;
export type Release = keyof typeof RELEASES;

const PACKAGES = [
  "docker.io",
  "openssh-server",
  // The edge's resolver; tailscaled talks to it over D-Bus.
  "systemd-resolved",
  "dbus",
  // `systemctl enable` and `disable`, which work without a running systemd.
  "systemd",
  "iproute2",
  "iptables",
  "kmod",
  "procps",
  "ca-certificates",
  // For the tests: what can the host itself reach?
  "netcat-openbsd",
  // Process 1.
  "tini",
];
/** Since Debian 13 the docker command is a package of its own, and ssh:// needs it on the host. */
const MORE: Record<Release, string[]> = { bookworm: [], trixie: ["docker-cli"] };

/** What each host has to have its own of: made at its first start, as cloud-init does. */
const OWN = [/^etc\/ssh\/ssh_host_/, /^etc\/machine-id$/];
/** Names of folders under way begin so. */
const SCRAP = ".making-";

/**
 * Which Debian the lab's Docker hosts are to be: TAILWART_HOSTS, else "bookworm".
 *
 * @throws UserError for a release that the lab does not have
 */
export function releaseOf(env: NodeJS.ProcessEnv = process.env): Release {
  const name = env["TAILWART_HOSTS"] || "bookworm";
  if (name in RELEASES) return name as Release;
  throw new UserError(`the lab has no Docker hosts of the release "${name}"`, {
    path: "TAILWART_HOSTS",
    hint: `write one of: ${Object.keys(RELEASES).join(", ")}`,
  });
}

/**
 * The root file system that the disks of the Docker hosts begin with: a Debian as it comes, with
 * Docker and sshd. Kept in the cache, for all labs, and never written to. About a minute when it is
 * not there yet.
 */
export async function hostRoot(
  layout: Pick<Layout, "cacheDir">,
  release: Release,
  log: (line: string) => void = () => {},
): Promise<string> {
  const folder = join(layout.cacheDir, "hosts");
  const packages = [...PACKAGES, ...MORE[release]];
  const root = join(folder, keyOf(release, packages, OWN.map(String), process.arch));
  if (existsSync(root)) return root;
  mkdirSync(folder, { recursive: true });
  const work = async () => {
    if (existsSync(root)) return;
    for (const name of readdirSync(folder))
      if (name.startsWith(SCRAP)) rmSync(join(folder, name), { recursive: true, force: true });
    log(`making a Debian ${release} with Docker ${RELEASES[release]} (about a minute)`);
    const making = mkdtempSync(join(folder, SCRAP));
    await debootstrap(release, packages, making);
    stripOwn(making);
    renameSync(making, root);
  };
  await withLock(folder, work, () => log("another process is making it; waiting for it"));
  return root;
}

function stripOwn(root: string): void {
  for (const folder of ["etc", "etc/ssh"])
    for (const name of readdirSync(join(root, folder)))
      if (OWN.some((pattern) => pattern.test(`${folder}/${name}`))) rmSync(join(root, folder, name));
  // Empty: systemd-machine-id-setup(1) writes a new one.
  writeFileSync(join(root, "etc/machine-id"), "");
  rmSync(join(root, "var/cache/apt/archives"), { recursive: true });
}
