import type { Violation } from "./violation.ts";

// Lesson 6: the edge's Caddy dials the node by its address, deep in an uploaded JSON.
const caddy = {
  apps: {
    layer4: {
      servers: {
        mail: {
          listen: [":25"],
          routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: ["100.101.102.103:25"] }] }] }],
        },
      },
    },
  },
};

export default {
  program: `container("edge", { uploads: [{ file: "/etc/caddy/caddy.json", content: ${JSON.stringify(JSON.stringify(caddy))} }] });`,
  expected: [
    "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.mail.routes[0].handle[0].upstreams[0].dial[0]",
    "holds 100.101.102.103, the address of one tailnet node",
    /why: .*changes when it registers again/,
    /instead: .*MagicDNS name/,
  ],
} satisfies Violation;
