// Sees to it that the new node has its name: `node verify/claim-name.ts`, with a NodeOrder as JSON
// on stdin.
//
// A killed or replaced node lingers in the tailnet for up to an hour, and its successor is called
// stalwart-1, which the edge does not dial (decision 11). So, once the new node is there: the
// offline one is removed, and the name is taken.
import { UserError } from "../lib/errors.ts";
import { hasName, isStale, namesakes, type NodeOrder } from "./devices.ts";
import { inContainer } from "./docker.ts";
import { renewLoginKey } from "./login-key.ts";
import { runOnInput } from "./run.ts";
import { apiAccess, deleteDevice, listDevices, renameDevice } from "./tailscale-api.ts";

/**
 * How long the new node may take to log in, and its predecessor to be noticed as gone.
 * Milliseconds.
 */
const PATIENCE = 45_000;

/** How long it may be without an address before its login key is looked at. Milliseconds. */
const KEY_PATIENCE = 12_000;

async function claim(order: NodeOrder): Promise<string> {
  const access = await apiAccess(process.env);
  let looked = false;
  let renewed = "";
  for (let start = Date.now(); ;) {
    const address = await ownAddress(order);
    if (!address && !looked && Date.now() - start > KEY_PATIENCE) {
      looked = true;
      if (await renewLoginKey(access, order)) {
        renewed = "; it was given a new login key, since its first was spent or had expired";
        start = Date.now();
      }
    }
    const devices = address ? await listDevices(access) : [];
    const device = devices.find(({ addresses }) => addresses.includes(address));
    const others = namesakes(devices, address, order);
    if (device && others.every(isStale)) {
      for (const { nodeId } of others) await deleteDevice(access, nodeId);
      if (!hasName(device, order.hostname)) await renameDevice(access, device.nodeId, order.hostname);
      const gone =
        others.length > 0 ? `; removed, offline: ${others.map(({ name }) => name).join(", ")}` : "";
      return `the node has the name ${order.hostname}${gone}${renewed}`;
    }
    if (Date.now() - start > PATIENCE) {
      throw device
        ? new UserError(`another connected node calls itself ${order.hostname} and carries ${order.tag}`, {
            hint: "stop or rename it",
          })
        : new UserError(`${order.container} has not logged in to the tailnet within ${PATIENCE / 1000} s`, {
            hint: `look at: docker --host ${order.dockerHost} logs ${order.container}`,
          });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/**
 * The sidecar's address on the tailnet, or nothing while it has none: its predecessor may still be
 * listed as connected.
 */
async function ownAddress({ dockerHost, container }: NodeOrder): Promise<string> {
  const { status, stdout } = await inContainer(dockerHost, container, "tailscale ip -4", 10);
  return status === 0 ? stdout.trim() : "";
}

await runOnInput(claim);
