/** What befalls the node that Stalwart is reached by, and the ways between nodes. */
import { dropping } from "../../lab/firewall.ts";
import { expireNode, nodes, startTailnet, stopTailnet } from "../../lab/tailnet/index.ts";
import { EPHEMERAL, mayBecomeEphemeral } from "../parts/ephemeral.ts";
import { EDGE_NAMELESS, SIDECAR_STARTS, STALWART_STARTS, WATCH_STARTS_OVER, WAY_LOST } from "./allowed.ts";
import { deploy } from "./deploys.ts";
import { during, type Fault } from "./fault.ts";
import { AT_LEAST_ONCE } from "./server.ts";
import type { World } from "./world.ts";

async function restartSidecar(world: World): Promise<void> {
  await world.docker("kvm", ["restart", "--time", "5", world.container("sidecar")]);
}

/** What the KVM host passes on for its containers, the sidecar among them. */
const passing = ({ layout }: World, ...match: string[][]) =>
  dropping(layout.machines.kvm, "FORWARD", ...match);
const everything = (world: World) => passing(world, []);
/** All but the questions to the resolver. */
const udp = (world: World) =>
  passing(
    world,
    ["-o", "eth0", "-p", "udp", "!", "--dport", "53"],
    ["-i", "eth0", "-p", "udp", "!", "--sport", "53"],
  );

export const TAILNET: readonly Fault[] = [
  {
    name: "sidecar-restarted",
    what: "the sidecar is restarted, and comes back with its address",
    inject: restartSidecar,
    allowed: SIDECAR_STARTS,
  },
  {
    name: "sidecar-new-address",
    what: "the sidecar, ephemeral, is restarted and comes back as another node",
    async prepare(world) {
      await mayBecomeEphemeral(world);
      await deploy(world, EPHEMERAL);
    },
    restore: (world) => deploy(world, {}),
    inject: restartSidecar,
    allowed: [...SIDECAR_STARTS, ...STALWART_STARTS, ...WATCH_STARTS_OVER, ...EDGE_NAMELESS],
    duplicates: AT_LEAST_ONCE,
    spans: 40,
    patience: 900,
  },
  {
    name: "sidecar-key-expired",
    what: "the sidecar's key is expired at the control server, and it logs in anew",
    async inject({ layout }) {
      const own = (await nodes(layout.tailnet)).find(({ hostname }) => hostname === "stalwart");
      if (!own) throw new Error("there is no node stalwart");
      await expireNode(layout.tailnet, own.id);
    },
    // By itself, with its spent login key: headscale lets a node in by it that it knows. Tailscale
    // wants a new one, and so a hand: `pulumi up`.
    allowed: [...SIDECAR_STARTS, ...STALWART_STARTS, ...WATCH_STARTS_OVER],
    duplicates: AT_LEAST_ONCE,
    spans: 20,
    patience: 900,
  },
  {
    name: "tailnet-partitioned",
    what: "nothing passes between the KVM host's containers and the other machines for 20 s",
    ...during(everything),
    lasts: 20,
    allowed: [...SIDECAR_STARTS, ...STALWART_STARTS, ...WATCH_STARTS_OVER, ...WAY_LOST],
    duplicates: AT_LEAST_ONCE,
    spans: 40,
    patience: 900,
  },
  {
    name: "control-server-away",
    what: "the tailnet's control server and its relay are stopped for 20 s",
    inject: ({ layout }) => stopTailnet(layout.tailnet),
    heal: async ({ layout }) => void (await startTailnet(layout.tailnet)),
    lasts: 20,
    allowed: WAY_LOST,
    spans: 40,
  },
  {
    name: "derp-only",
    what: "UDP between the nodes is dropped for 30 s, so that all goes by the relay",
    ...during(udp),
    lasts: 30,
    allowed: [...SIDECAR_STARTS, ...WAY_LOST],
    spans: 50,
    patience: 300,
  },
];
