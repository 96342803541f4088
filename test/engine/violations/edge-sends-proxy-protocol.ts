import type { Violation } from "./violation.ts";

// Lesson 3: mail passed on without the client's address, in a script that writes Caddy's JSON.
const caddy = {
  apps: {
    layer4: {
      servers: {
        smtp: {
          listen: [":25"],
          routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: ["stalwart:25"] }] }] }],
        },
        imap: {
          listen: [":143"],
          routes: [
            {
              match: [{ tls: {} }],
              handle: [
                {
                  handler: "proxy",
                  proxy_protocol: "v2",
                  health_checks: { active: { port: 8080 } },
                  upstreams: [{ dial: ["stalwart:143"], max_connections: 100 }],
                },
              ],
            },
          ],
        },
      },
    },
  },
};
const create = `cat > /etc/caddy/caddy.json <<'EOF'\n${JSON.stringify(caddy, null, 2)}\nEOF\n`;

export default {
  program: `new command.local.Command("edge", { create: ${JSON.stringify(create)} });`,
  expected: [
    "create apps.layer4.servers.smtp.routes[0].handle[0] passes mail on with no PROXY header",
    "apps.layer4.servers.imap.routes[0] matches with tls, which waits for the client's first bytes",
    "apps.layer4.servers.imap.routes[0].handle[0] sets a port for health checks",
    "apps.layer4.servers.imap.routes[0].handle[0].upstreams[0] sets max_connections",
    /why: .*bans it/,
    /instead: proxy_protocol "v2"/,
  ],
} satisfies Violation;
