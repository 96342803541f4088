/**
 * The sidecar's start: a firewall for the shared namespace, then containerboot.
 *
 * Grants guard what comes through tailscale0 and nothing else: a neighbour on the bridge could otherwise reach
 * every listener of Stalwart by eth0, and be trusted as the edge (decision 8). iptables-restore swaps the chain
 * in one step, so a restart of the sidecar leaves no gap. Without ip6tables it starts only where the namespace
 * has no IPv6 at all.
 */
export const SIDECAR_START = `set -eu
rules() {
  printf '%s\\n' '*filter' ':tailwart-in - [0:0]' \\
    '-A tailwart-in -i lo -j RETURN' \\
    '-A tailwart-in -i tailscale0 -j RETURN' \\
    '-A tailwart-in -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN' \\
    '-A tailwart-in -j DROP' \\
    COMMIT
}
guard() {
  # sh ignores -e inside of a function whose failure is caught.
  rules | "$1-restore" --noflush || return 1
  "$1" -C INPUT -j tailwart-in 2>/dev/null || "$1" -I INPUT 1 -j tailwart-in
}
guard iptables
guard ip6tables || { [ ! -s /proc/net/if_inet6 ] || exit 1; }
exec containerboot`;
