/** What befalls the answers to questions for names. */
import { stopDaemon } from "../../lab/daemon.ts";
import { dropping } from "../../lab/firewall.ts";
import { startResolver } from "../../lab/resolver.ts";
import { EDGE_NAMELESS } from "./allowed.ts";
import { during, type Fault } from "./fault.ts";
import type { World } from "./world.ts";

/** Questions of the KVM host, its containers and the edge; others' are answered. */
const questions = ({ layout }: World) =>
  dropping(
    layout.machines.net,
    "INPUT",
    ...[layout.boxes.kvm, layout.boxes.edge].flatMap(({ address }) =>
      ["udp", "tcp"].map((protocol) => ["-s", address, "-p", protocol, "--dport", "53"]),
    ),
  );

export const NAMES: readonly Fault[] = [
  {
    name: "dns-away",
    what: "the KVM host's and the edge's questions to the DNS vanish for 20 s",
    ...during(questions),
    lasts: 20,
    allowed: [
      {
        of: "sidecar",
        line: /dns (udp|tcp) query: /,
        why: "tailscaled passes on what is no name of the tailnet",
      },
    ],
    spans: 40,
  },
  {
    name: "edge-resolver-stopped",
    what: "the edge's own resolver is stopped for 10 s, and with it MagicDNS",
    inject: ({ layout }) => stopDaemon({ machine: layout.boxes.edge, name: "resolved" }),
    heal: async ({ layout }) => void (await startResolver(layout)),
    allowed: EDGE_NAMELESS,
  },
];
