import type { BoxName } from "../../lab/topology.ts";

/** What a container of the stack is there for. */
export type ContainerRole = "anchor" | "sidecar" | "stalwart" | "edge";

/**
 * Name of a stack's container on its host, as components/shared.ts gives it.
 *
 * @example containerOf("prod", "edge") === "tailwart-prod-edge"
 */
export const containerOf = (stack: string, role: ContainerRole): string => `tailwart-${stack}-${role}`;

/** Which of the lab's hosts a role's container runs on. */
export const hostOf = (role: ContainerRole): BoxName => (role === "edge" ? "edge" : "kvm");

/**
 * Number of Stalwart's own process on its host; its container's first one is the entrypoint, which
 * starts it over without a new container.
 *
 * @param table what `docker top CONTAINER -o pid,args` prints
 */
export function serverPidIn(table: string): string | undefined {
  const server = table.split("\n").find((line) => line.includes("/usr/local/bin/stalwart --config"));
  return server?.trim().split(/\s+/)[0];
}
