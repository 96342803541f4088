/** What befalls Stalwart. */
import { runIn } from "../../lab/machine.ts";
import { outOfMemory } from "../../lab/out-of-memory.ts";
import { STALWART_STARTS } from "./allowed.ts";
import type { Fault } from "./fault.ts";
import { serverPidIn } from "../parts/containers.ts";
import type { World } from "./world.ts";

async function serverPid(world: World): Promise<string> {
  const { stdout } = await world.docker("kvm", ["top", world.container("stalwart"), "-o", "pid,args"]);
  const pid = serverPidIn(stdout);
  if (pid === undefined) throw new Error(`${world.container("stalwart")} runs no server:\n${stdout}`);
  return pid;
}

/** Why there may be second copies after the end of a server. */
export const AT_LEAST_ONCE =
  "a server that ends, or loses Postgres, between a delivery and taking the message out of its queue " +
  "delivers it again: Stalwart does not wait for its deliveries, also when it is told to stop";

export const SERVER: readonly Fault[] = [
  {
    name: "stalwart-killed",
    what: "Stalwart is killed with -9",
    inject: async (world) =>
      void (await runIn(world.layout.machines.kvm, ["kill", "-KILL", await serverPid(world)])),
    allowed: STALWART_STARTS,
    duplicates: AT_LEAST_ONCE,
    patience: 1200,
  },
  {
    name: "stalwart-restarted",
    what: "Stalwart's container is restarted",
    inject: async (world) => void (await world.docker("kvm", ["restart", world.container("stalwart")])),
    allowed: STALWART_STARTS,
    duplicates: AT_LEAST_ONCE,
  },
  {
    name: "stalwart-out-of-memory",
    what: "Stalwart's container has no memory left, and the kernel kills the server",
    inject: async (world) => outOfMemory(world.layout.machines.kvm, await serverPid(world)),
    allowed: STALWART_STARTS,
    duplicates: AT_LEAST_ONCE,
    patience: 1200,
  },
];
