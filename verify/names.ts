/** Two names that the edge has to resolve: one of the tailnet's, one of the internet's. */
export interface EdgeNames {
  /** Stalwart's MagicDNS name, which Caddy dials. */
  magicDns: string;
  /** A public name that the stack needs anyway. */
  public: string;
}

/**
 * Tailscale's own resolver: it answers MagicDNS names on every node, and public ones only where it
 * is told how.
 */
const MAGIC_DNS = "100.100.100.100";

/** What the probe saw: its `resolv.conf`, and what became of each name. */
export interface NamesSeen {
  servers: string[];
  magicDns: Answer;
  public: Answer;
}

/** Who answers a name: the container's resolver; 100.100.100.100 and not that; neither. */
type Answer = "resolved" | "by-quad-100" | "no";

/**
 * A shell line that tells who answers each of the two names, seen from a container. It prints three
 * lines and always exits 0. getent and nslookup are in every Alpine image (musl-utils, BusyBox).
 */
export function namesProbe(names: EdgeNames): string {
  return `for name in ${names.magicDns} ${names.public}; do
if getent hosts $name >/dev/null 2>&1; then echo resolved
elif timeout 5 nslookup -type=a $name ${MAGIC_DNS} >/dev/null 2>&1; then echo by-quad-100
else echo no; fi
done
echo $(sed -n 's/^nameserver *//p' /etc/resolv.conf)`;
}

/** Reads what the probe printed; a name that it says nothing of is not resolved. */
export function readNames(stdout: string): NamesSeen {
  const [magicDns, publicName, servers = ""] = stdout.trim().split("\n");
  const answer = (word = "") => (word === "resolved" || word === "by-quad-100" ? word : "no");
  return {
    magicDns: answer(magicDns),
    public: answer(publicName),
    servers: servers.split(" ").filter(Boolean),
  };
}

/** Why one of the names does not resolve, and what to do; nothing when both do. */
export function nameProblem(
  seen: NamesSeen,
  names: EdgeNames,
): { message: string; hint: string } | undefined {
  const asks = `the container asks ${seen.servers.join(", ") || "no server at all"}`;
  if (seen.public !== "resolved")
    return {
      message: `the edge does not resolve the public name ${names.public}: ${asks}`,
      hint: seen.servers.includes(MAGIC_DNS)
        ? `${MAGIC_DNS} answers MagicDNS names alone where the host runs systemd-resolved: take "dns" out of the Docker daemon's /etc/docker/daemon.json, so that the container has the host's own resolver`
        : `look on the host itself: getent hosts ${names.public}`,
    };
  if (seen.magicDns === "by-quad-100")
    return {
      message: `the edge does not resolve the MagicDNS name ${names.magicDns}: ${asks}, who does not ask tailscaled, which knows it`,
      hint: `on the host: tailscale set --accept-dns; then \`docker restart\` the edge, whose resolv.conf is a copy of the host's`,
    };
  if (seen.magicDns === "no")
    return {
      message: `the edge does not resolve the MagicDNS name ${names.magicDns}: ${asks}, and ${MAGIC_DNS} does not know it either`,
      hint: "the tailnet shows a machine only to those who have a grant to it: is the sidecar connected, and does the edge's node carry tailwart:tailnet.tags.edge?",
    };
  return undefined;
}
