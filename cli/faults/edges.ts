/** What befalls one of several edges. */
import { mustPulumi } from "../parts/pulumi-cli.ts";
import { EDGE_STARTS } from "./allowed.ts";
import { deploy } from "./deploys.ts";
import type { Fault } from "./fault.ts";
import { AT_LEAST_ONCE } from "./server.ts";
import type { World } from "./world.ts";

const NAME = "edge2";

/** A deploy of the lab's stack with another edge beside its own. */
function withSecond(world: World): Promise<void> {
  const { sshHost: dockerHost, address: wanAddress } = world.layout.boxes.edge2;
  const second = { name: NAME, dockerHost, wanAddress, certificates: "internal" };
  return deploy(world, { "tailwart:edges/1": second });
}

/** Gives it up again, as docs/operate.md has it. */
async function withoutSecond(world: World): Promise<void> {
  const { stack } = world.lab;
  const type = "tailwart:mail:CaddyEdge$docker:index/volume:Volume";
  const urn = `urn:pulumi:${stack.name}::tailwart::${type}::${NAME}-data`;
  await mustPulumi(stack, ["state", "unprotect", "--yes", "--stack", stack.name, urn]);
  await deploy(world, {});
}

export const EDGES: readonly Fault[] = [
  {
    name: "one-of-two-edges-killed",
    what: "the first of two edges is killed with -9 and stays away for 20 s, and senders go on by the other",
    prepare: withSecond,
    restore: withoutSecond,
    inject: async (world) => void (await world.docker("edge", ["kill", world.container("edge")])),
    heal: async (world) => void (await world.docker("edge", ["start", world.container("edge")])),
    lasts: 20,
    spans: 40,
    allowed: EDGE_STARTS,
    duplicates: AT_LEAST_ONCE,
  },
];
