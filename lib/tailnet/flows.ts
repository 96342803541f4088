import { ADMIN_PORT, type MailService } from "../mail-services.ts";

/**
 * One connection that the mail stack needs. The tailnet denies everything else (lesson 11), so this
 * table is what the grants, the tag owners, the policy's tests and the edge's listeners are made
 * from (decision 1).
 */
export interface Flow {
  /** Who opens the connection: a tag, or a policy source such as `autogroup:admin`. */
  from: string;
  /** The tag that is connected to. */
  to: string;
  proto: "tcp";
  port: number;
  why: string;
}

/** Why Stalwart connects to a server, by the server's role. */
const PEERS = {
  postgres: "Stalwart's data store",
  relay: "outbound mail goes to the smarthost (lessons 10 and 11)",
  redis: "Stalwart's in-memory store",
  s3: "Stalwart's blob store",
};

/** A kind of server that Stalwart connects to. */
export type PeerRole = keyof typeof PEERS;

/** Where a server listens. */
type Listening = { host: string; port: number };

/** The servers that a stack has; Redis and S3 only where the config names one. */
export type Servers = Record<"postgres" | "relay", Listening> & Partial<Record<"redis" | "s3", Listening>>;

/** What the flow table is made from. */
export interface FlowInputs {
  tags: Record<"stalwart" | "edge" | PeerRole, string>;
  /** Who may open the admin listener. */
  operators: string[];
  services: MailService[];
  /** The servers that are machines of the tailnet: no grant concerns another. */
  peers: Partial<Record<PeerRole, { port: number }>>;
}

/** The flow table. */
export function flowsOf({ tags, operators, services, peers }: FlowInputs): Flow[] {
  const tcp = (from: string, to: string, port: number, why: string): Flow => ({
    from,
    to,
    proto: "tcp",
    port,
    why,
  });
  return [
    ...services.map((service) =>
      tcp(tags.edge, tags.stalwart, service.port, `the edge passes on ${service.name}`),
    ),
    ...(Object.keys(PEERS) as PeerRole[]).flatMap((role) => {
      const peer = peers[role];
      return peer ? [tcp(tags.stalwart, tags[role], peer.port, PEERS[role])] : [];
    }),
    ...operators.map((from) => tcp(from, tags.stalwart, ADMIN_PORT, "operators reach the admin listener")),
  ];
}
