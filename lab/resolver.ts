import { startDaemon } from "./daemon.ts";
import type { Layout } from "./topology.ts";
import { runIn, succeeds } from "./machine.ts";

/** As Debian's and Ubuntu's cloud images have it; the upstream server is what DHCP would tell. */
const CONFIGURE = `
mkdir -p /etc/systemd/resolved.conf.d /run/dbus /run/systemd
printf '[Resolve]\\nDNS=%s\\n' "$0" > /etc/systemd/resolved.conf.d/upstream.conf
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
`;

/**
 * Starts systemd-resolved on an edge, or finds it running. tailscaled finds it over D-Bus and
 * gives it MagicDNS as a split domain (tailscale.com net/dns/resolved.go): so it must be there
 * first. From then on the host's resolver answers public and MagicDNS names, and 100.100.100.100
 * MagicDNS names alone (net/dns/manager.go).
 */
export async function startResolver(layout: Layout, edge: "edge" | "edge2" = "edge"): Promise<boolean> {
  const machine = layout.machines[edge];
  const there = (path: string) => succeeds(machine, ["test", "-e", path]);
  await runIn(machine, ["sh", "-ec", CONFIGURE, layout.dns]);
  const command = ["dbus-daemon", "--system", "--nofork", "--nopidfile"];
  await startDaemon({ machine, name: "dbus", command }, () => there("/run/dbus/system_bus_socket"));
  const resolved = { machine, name: "resolved", command: ["/lib/systemd/systemd-resolved"] };
  return startDaemon(resolved, () => there("/run/systemd/resolve/stub-resolv.conf"));
}
