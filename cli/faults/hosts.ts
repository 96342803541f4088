/** What befalls the hosts, their Docker and the edge. */
import { restartDocker } from "../../lab/docker-hosts.ts";
import { EDGE_STARTS, SIDECAR_STARTS, STALWART_STARTS } from "./allowed.ts";
import type { Fault } from "./fault.ts";
import { AT_LEAST_ONCE } from "./server.ts";

export const HOSTS: readonly Fault[] = [
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
    allowed: [
      ...SIDECAR_STARTS,
      ...STALWART_STARTS,
      { of: "stalwart", line: /eth0 is gone, so the anchor has ended/, why: "the anchor is restarted, too" },
    ],
    duplicates: AT_LEAST_ONCE,
    patience: 900,
  },
];
