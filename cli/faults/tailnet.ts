/** What befalls the node that Stalwart is reached by. */
import { SIDECAR_STARTS } from "./allowed.ts";
import type { Fault } from "./fault.ts";

export const TAILNET: readonly Fault[] = [
  {
    name: "sidecar-restarted",
    what: "the sidecar is restarted, and comes back with its address",
    inject: async (world) =>
      void (await world.docker("kvm", ["restart", "--time", "5", world.container("sidecar")])),
    allowed: SIDECAR_STARTS,
  },
];
