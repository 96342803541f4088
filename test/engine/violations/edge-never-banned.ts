import type { Violation } from "./violation.ts";

/** The tailnet's range is there; the edge's own address takes another resource to know. */
export default {
  program: `
    component("CaddyEdge", "edge", { wanAddress: "198.51.100.7" });
    settings("settings", { "server.allowed-ip.100.64.0.0/10": "", "queue.strategy.route": "'local'" }, {
      fileSettings: {
        "server.listener.smtp.bind": "0.0.0.0:25",
        "server.listener.smtp.proxy.trusted-networks.0000": "100.64.0.0/10",
      },
    });`,
  expected: [
    "settings (server.allowed-ip.*) lacks 198.51.100.7, the edge's public address",
    /why: .*admin listener.*lesson 3/,
    /instead: 198\.51\.100\.7 among allowedIps/,
  ],
} satisfies Violation;
