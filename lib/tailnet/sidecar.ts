/** The device that Docker's bridge gives to the anchor. It goes when the anchor ends. */
export const NAMESPACE_DEVICE = "eth0";

/** How long the anchor is given to come back before those who have joined it leave. Seconds. */
const ANCHOR_PAUSE = 3;

/**
 * The sidecar's start: a firewall for the shared namespace, then containerboot.
 *
 * Grants guard what comes through tailscale0 and nothing else: a neighbour on the bridge could
 * otherwise reach every listener of Stalwart by eth0, and be trusted as the edge (decision 8).
 *
 * - One program writes the whole table in one step: a restart leaves no gap, and nothing that one
 *   family of iptables has loaded is looked for by the other. tailscale/tailscale links `iptables`
 *   to legacy and `iptables-restore` to nft (Dockerfile.base there). nft comes first, since the
 *   kernel loads what it needs by itself.
 * - The last rule says what the policy says. iptables-nft-restore makes a chain anew with the
 *   policy ACCEPT and sets DROP later in the same transaction, and the kernel takes the old chain
 *   away before it sets it: without the rule 42 packets of a flood came in at 300 restarts, with it
 *   none.
 * - Nobody else owns the filter table here: tailscaled makes its chains anew at each start (CleanUp
 *   in tailscale.com/cmd/tailscaled). Whichever family it takes, a packet must pass both tables.
 * - tailscaled counts on `iptables` where that program exists, even if it fails, as legacy does on
 *   RHEL 10's kernel. It is told to speak nftables then (tailscale.com/util/linuxfw, detector.go).
 * - Without rules it does not start; without rules for IPv6 only where nothing but loopback has an
 *   IPv6 address.
 * - When the anchor ends, its namespace loses the bridge and is dead, while tailscaled would live
 *   on in it for ever. So the sidecar leaves, and Docker starts it anew in the anchor's next one.
 *   It waits for the anchor before: a start without it fails, and Docker tries only once
 *   (moby#50326). containerboot stays process 1, so Docker's SIGTERM and the exit status are its
 *   own.
 */
export const SIDECAR_START = `set -eu
table() { # $1: what becomes of a packet that nothing lets in
  printf '%s\\n' '*filter' ":INPUT $1 [0:0]" ':FORWARD ACCEPT [0:0]' ':OUTPUT ACCEPT [0:0]' \\
    '-A INPUT -i lo -j ACCEPT' \\
    '-A INPUT -i tailscale0 -j ACCEPT' \\
    '-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT' \\
    "-A INPUT -j $1" COMMIT
}
guard() { # $1: iptables or ip6tables
  for restore in "$1-nft-restore" "$1-legacy-restore" "$1-restore"; do
    command -v "$restore" >/dev/null || continue
    if failure=$(table DROP | "$restore" -w 2>&1); then
      # What an earlier start may have left in the other family.
      if grep -q filter "/proc/net/\${1%tables}_tables_names" 2>/dev/null; then
        case $restore in *-nft-*) table ACCEPT | "$1-legacy-restore" -w 2>/dev/null || : ;; esac
      fi
      return 0
    fi
    echo "tailwart: $restore: $failure" >&2
  done
  echo "tailwart: no $1 of this image can write its rules on this host" >&2
  return 1
}
guard iptables
guard ip6tables || ! grep -qv ' lo$' /proc/net/if_inet6 2>/dev/null || exit 1
iptables -S >/dev/null 2>&1 || export TS_DEBUG_FIREWALL_MODE="\${TS_DEBUG_FIREWALL_MODE:-nftables}"
{
  while [ -e /sys/class/net/${NAMESPACE_DEVICE} ]; do sleep 1; done
  echo "tailwart: ${NAMESPACE_DEVICE} is gone, so the anchor has ended; leaving for its next namespace"
  sleep ${ANCHOR_PAUSE}
  kill -TERM $$
} &
exec containerboot`;
