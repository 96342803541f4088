/** What `tailscale status --json` says of the node itself, as far as it is looked at. */
export interface NodeStatus {
  /** MagicDNS name in full, without the final dot. */
  name: string;
  tags: string[];
  addresses: string[];
  created: Date;
  /** When its key ends; undefined for one that does not, as a tagged node's. */
  keyEnds: Date | undefined;
  expired: boolean;
}

interface Raw {
  Self: {
    DNSName: string;
    Tags?: string[];
    TailscaleIPs?: string[];
    Created: string;
    KeyExpiry?: string;
    Expired?: boolean;
  };
}

/** Reads `tailscale status --json` (tailscale.com/ipn/ipnstate, PeerStatus). */
export function readNodeStatus(stdout: string): NodeStatus {
  const { Self: self } = JSON.parse(stdout) as Raw;
  return {
    name: self.DNSName.replace(/\.$/, ""),
    tags: self.Tags ?? [],
    addresses: self.TailscaleIPs ?? [],
    created: new Date(self.Created),
    keyEnds: self.KeyExpiry === undefined ? undefined : new Date(self.KeyExpiry),
    expired: self.Expired === true,
  };
}

/** @example ageOf(new Date("2026-01-01T00:00Z"), new Date("2026-01-03T01:00Z")) === "2 days" */
export function ageOf(since: Date, now: Date): string {
  const hours = Math.max(0, (now.getTime() - since.getTime()) / 3_600_000);
  if (hours < 1) return `${Math.floor(hours * 60)} minutes`;
  return hours < 48 ? `${Math.floor(hours)} hours` : `${Math.floor(hours / 24)} days`;
}
