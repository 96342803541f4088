import type { Device } from "./tailscale-api.ts";

/** The node whose name is claimed. */
export interface NodeOrder {
  hostname: string;
  tag: string;
  /** The sidecar, which knows its own address. */
  dockerHost: string;
  container: string;
}

/**
 * Every other device that calls itself as our node does and carries its tag.
 *
 * @param address our node's own address on the tailnet
 */
export function namesakes(
  devices: readonly Device[],
  address: string,
  order: Pick<NodeOrder, "hostname" | "tag">,
): Device[] {
  return devices.filter(
    (device) =>
      device.hostname === order.hostname &&
      device.tags?.includes(order.tag) === true &&
      !device.addresses.includes(address),
  );
}

/**
 * Surely not connected, and so safe to remove. A device that does not tell whether it is connected
 * counts as connected.
 */
export function isStale({ connectedToControl }: Device): boolean {
  return connectedToControl === false;
}

/** Whether a device has the node's MagicDNS name, and not stalwart-1. */
export function hasName({ name }: Device, hostname: string): boolean {
  return name.split(".")[0] === hostname;
}
