import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Layout } from "./topology.ts";
import { run } from "./run.ts";

/** Where the operator's own files are, as the caller sees them. */
export interface Operator {
  home: string;
  /**
   * What of /etc is her machine's own: passwd, since ssh takes the home folder from there and not
   * from HOME, and resolv.conf, by which she finds the lab's names.
   */
  etc: string;
}

export function operatorOf(layout: Layout): Operator {
  const { dir } = layout.machines.operator;
  return { home: join(dir, "home"), etc: join(dir, "etc") };
}

/**
 * Gives the operator an ssh key and a configuration, as docs/deploy.md has them: so that what runs
 * in the lab neither reads nor writes the caller's own ~/.ssh. Returns the public key.
 */
export async function prepareOperator(layout: Layout): Promise<string> {
  const { home, etc } = operatorOf(layout);
  const folder = join(home, ".ssh");
  const key = join(folder, "id_ed25519");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(etc, { recursive: true });
  const made = ["-q", "-t", "ed25519", "-N", "", "-C", `operator of the lab ${layout.name}`, "-f", key];
  if (!existsSync(key)) await run("ssh-keygen", made);
  writeFileSync(join(folder, "config"), sshConfig(layout), { mode: 0o600 });
  writeFileSync(join(etc, "passwd"), passwdWithHome(readFileSync("/etc/passwd", "utf8"), home));
  writeFileSync(join(etc, "resolv.conf"), `nameserver ${layout.dns}\n`);
  return readFileSync(`${key}.pub`, "utf8");
}

/** Notes the hosts' keys as known: the operator has read them at the hosts' own consoles. */
export function knowHosts(layout: Layout, keys: readonly string[]): void {
  writeFileSync(join(operatorOf(layout).home, ".ssh", "known_hosts"), `${keys.join("\n")}\n`);
}

/** Of the caller nothing is used, her agent included. The rest is what docs/deploy.md advises. */
function sshConfig({ boxes }: Layout): string {
  const aliases = Object.values(boxes).map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
  return `${aliases.join("")}Host *
  IdentityAgent none
  StrictHostKeyChecking yes
  ControlMaster auto
  ControlPath ~/.ssh/%r@%h:%p
  ControlPersist 60
`;
}

/**
 * @example
 * passwdWithHome("root:x:0:0:root:/root:/bin/bash\n", "/home/op") ===
 *   "root:x:0:0:root:/home/op:/bin/bash\n"
 */
export function passwdWithHome(passwd: string, home: string): string {
  return passwd.replace(/^((?:[^:\n]*:){2}0:(?:[^:\n]*:){2})[^:\n]*/gm, `$1${home}`);
}
