/** What befalls Stalwart. */
import { runIn } from "../../lab/machine.ts";
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
];
