import { ADMIN_PORT, type MailService } from "./services.ts";

/**
 * One connection that the mail stack needs. The tailnet denies everything else (lesson 11), so this table is
 * what the grants, the tag owners, the policy's tests and the edge's listeners are made from (decision 1).
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

/** What the flow table is made from. */
export interface FlowInputs {
  tags: { stalwart: string; edge: string; postgres: string; relay: string };
  /** Who may open the admin listener. */
  operators: string[];
  services: MailService[];
  /** Port of Postgres; undefined where it is no machine of the tailnet, so that no grant concerns it. */
  postgresPort: number | undefined;
  /** Port of the relay; undefined likewise. */
  relayPort: number | undefined;
}

/** The flow table. */
export function flowsOf({ tags, operators, services, postgresPort, relayPort }: FlowInputs): Flow[] {
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
    ...optional(postgresPort, (port) => tcp(tags.stalwart, tags.postgres, port, "Stalwart's data store")),
    ...optional(relayPort, (port) =>
      tcp(tags.stalwart, tags.relay, port, "outbound mail goes to the smarthost (lessons 10 and 11)"),
    ),
    ...operators.map((from) => tcp(from, tags.stalwart, ADMIN_PORT, "operators reach the admin listener")),
  ];
}

const optional = (port: number | undefined, flow: (port: number) => Flow): Flow[] =>
  port === undefined ? [] : [flow(port)];
