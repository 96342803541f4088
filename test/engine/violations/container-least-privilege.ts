import type { Violation } from "./violation.ts";

export default {
  program: `
    container("watcher", {
      privileged: true,
      pidMode: "host",
      capabilities: { adds: ["SYS_ADMIN", "CAP_NET_ADMIN"] },
      volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/docker.sock" }],
    });
  `,
  expected: [
    "privileged gives the container all of the host.",
    "pidMode shows the container the host's processes.",
    /capabilities\.adds\[\d\] adds a capability/,
    "volumes[0].hostPath hands over the container engine's socket",
    /why: .*has the host/,
    /instead: a named volume/,
  ],
} satisfies Violation;
