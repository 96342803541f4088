/** What befalls the hosts, their Docker and the edge. */
import { restartDocker } from "../../lab/docker-hosts.ts";
import { runIn } from "../../lab/machine.ts";
import { EDGE_STARTS, SIDECAR_STARTS, STALWART_STARTS } from "./allowed.ts";
import type { Fault } from "./fault.ts";
import type { Allowance } from "./logs.ts";
import { AT_LEAST_ONCE } from "./server.ts";

/** All that runs on the KVM host starts anew, in a new namespace. */
const KVM_STARTS: readonly Allowance[] = [
  ...SIDECAR_STARTS,
  ...STALWART_STARTS,
  {
    of: "stalwart",
    line: /eth0 is gone, so the anchor has ended|Stalwart did not end within 2 s of SIGTERM/,
    why: "the anchor is restarted, too, and a server without a network is not waited for",
  },
];

export const HOSTS: readonly Fault[] = [
  {
    name: "anchor-killed",
    what: "the container that holds the network namespace is killed with -9",
    async inject(world) {
      const format = ["--format", "{{.State.Pid}}"];
      const { stdout } = await world.docker("kvm", ["inspect", ...format, world.container("anchor")]);
      await runIn(world.layout.machines.kvm, ["kill", "-KILL", stdout.trim()]);
    },
    allowed: KVM_STARTS,
    duplicates: AT_LEAST_ONCE,
  },
  {
    name: "edge-docker-restarted",
    what: "dockerd of the edge is restarted, and Caddy with it",
    inject: ({ layout }) => restartDocker(layout, layout.boxes.edge),
    allowed: EDGE_STARTS,
  },
  {
    name: "edge-restarted",
    what: "the edge's container is restarted",
    inject: async (world) =>
      void (await world.docker("edge", ["restart", "--time", "10", world.container("edge")])),
    allowed: EDGE_STARTS,
  },
  {
    name: "kvm-docker-restarted",
    what: "dockerd of the KVM host is restarted, and all containers with it",
    inject: ({ layout }) => restartDocker(layout, layout.boxes.kvm),
    allowed: KVM_STARTS,
    duplicates: AT_LEAST_ONCE,
    patience: 900,
  },
];
