import { startDaemon } from "./daemon.ts";
import type { Box } from "./topology.ts";
import { runIn } from "./machine.ts";
import { isOpen } from "./run.ts";

/** What cloud-init does at a host's first start: keys of its own, and whose key opens it. */
const FIRST_START = `
[ -s /etc/machine-id ] || systemd-machine-id-setup 2>/dev/null
[ -f /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -A
install -d -m 0700 /root/.ssh
cat > /root/.ssh/authorized_keys
install -d -m 0755 /run/sshd
`;

/**
 * Starts a host's sshd, or finds it running: Debian's, with the configuration that comes with it,
 * its limits on logins (MaxStartups) and sessions (MaxSessions) included.
 *
 * @param publicKey whose owner may log in as root
 */
export async function startSshd(box: Box, publicKey: string): Promise<boolean> {
  await runIn(box, ["sh", "-ec", FIRST_START], { stdin: publicKey });
  const daemon = { machine: box, name: "sshd", command: ["/usr/sbin/sshd", "-D", "-e"] };
  return startDaemon(daemon, () => isOpen(box.netns, box.address, 22));
}

/** A host's own keys, as lines of known_hosts, read where nobody can have changed them. */
export async function hostKeys(box: Box): Promise<string[]> {
  const { stdout } = await runIn(box, ["sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => `${box.address} ${line.split(" ").slice(0, 2).join(" ")}`);
}
