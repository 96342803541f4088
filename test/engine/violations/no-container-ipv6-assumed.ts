import type { Violation } from "./violation.ts";

// Lesson 9: the host may have IPv6, the network of the namespace has none.
export default {
  program: `
    const network = new docker.Network("mail-network", { driver: "bridge" }, { provider });
    container("anchor", { networkMode: network.name, labels: [{ label: "tailwart.role", value: "anchor" }] });
    settings("mail-settings", {
      "queue.route.direct.type": "mx",
      "queue.route.direct.ip-lookup": "ipv6_then_ipv4",
      "queue.connection.default.source-ips.0000": "2001:db8::25",
      "queue.strategy.route": "'direct'",
    });`,
  expected: [
    'settings["queue.route.direct.ip-lookup"] prefers IPv6 addresses, while the network mail-network has no ipv6: true',
    'settings["queue.connection.default.source-ips.0000"] is an IPv6 address to send from, while the network mail-network',
    /why: IPv6 of the host does not reach a container by itself/,
    /instead: ipv4_only, or ipv4_then_ipv6/,
  ],
} satisfies Violation;
