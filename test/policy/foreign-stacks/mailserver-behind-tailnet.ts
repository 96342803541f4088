import { secret, UNKNOWN, urnOf } from "../harness.ts";
import { container, resource, STACK, volume, type Stranger } from "./stranger.ts";

/**
 * A mail server in a sidecar's network, an edge with Caddy's layer4 app, and a policy file that
 * forgets the way out.
 */
const key = resource("tailscale:index/tailnetKey:TailnetKey", "mail-key", {
  reusable: true,
  preauthorized: true,
  tags: ["tag:mail"],
});
const sidecar = container(
  "ts-mail",
  "tailscale/tailscale:v1.90.8",
  {
    hostname: "mail",
    capabilities: { adds: ["NET_ADMIN", "NET_RAW"] },
    devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun", permissions: "rwm" }],
    envs: [
      UNKNOWN,
      "TS_STATE_DIR=/var/lib/tailscale",
      "TS_USERSPACE=false",
      "TS_EXTRA_ARGS=--accept-dns=true",
      "TS_HOSTNAME=mail",
    ],
    volumes: [{ volumeName: "ts-state", containerPath: "/var/lib/tailscale" }],
  },
  { propertyDependencies: { envs: [urnOf(key)] } },
);

const proxy = (dial: string, more: object = {}) => ({
  handle: [{ handler: "proxy", upstreams: [{ dial: [dial] }], ...more }],
});
const caddy = {
  admin: { listen: "unix//run/caddy-admin.sock" },
  apps: {
    layer4: {
      servers: {
        smtp: { listen: [":25"], routes: [proxy("mail.tail0f3a9.ts.net:25")] },
        submissions: {
          listen: [":465"],
          routes: [proxy("mail.tail0f3a9.ts.net:465", { proxy_protocol: "v2" })],
        },
        imaps: { listen: [":993"], routes: [proxy("mail.tail0f3a9.ts.net:993", { proxy_protocol: "v2" })] },
      },
    },
  },
};

export default {
  resources: [
    ...["ts-state", "mail-data", "mail-state", "mail-config", "caddy-data"].map(volume),
    key,
    sidecar,
    container(
      "mailserver",
      "mailserver/docker-mailserver:15.1",
      {
        networkMode: UNKNOWN,
        capabilities: { adds: ["NET_ADMIN"] },
        envs: [
          "OVERRIDE_HOSTNAME=mx.example.org",
          "ENABLE_FAIL2BAN=1",
          "SSL_TYPE=letsencrypt",
          "PERMIT_DOCKER=none",
          "RELAY_HOST=outbound.tail0f3a9.ts.net",
          "RELAY_PORT=587",
          "RELAY_USER=relay",
          secret("RELAY_PASSWORD=tN4vQ8zL1pXc6"),
        ],
        uploads: [
          {
            file: "/tmp/docker-mailserver/postfix-main.cf",
            content:
              "# our own relays\nmynetworks = 127.0.0.0/8 100.64.0.0/10\nsmtpd_upstream_proxy_protocol = haproxy\nrelay_recipient_maps = ldap:100.88.14.3\n",
          },
        ],
        volumes: [
          { volumeName: "mail-data", containerPath: "/var/mail" },
          { volumeName: "mail-state", containerPath: "/var/mail-state" },
          { volumeName: "mail-config", containerPath: "/tmp/docker-mailserver" },
        ],
        healthcheck: { tests: ["CMD-SHELL", "ss --listening --tcp | grep -P 'LISTEN.+:smtp' || exit 1"] },
      },
      { propertyDependencies: { networkMode: [urnOf(sidecar)] } },
    ),
    container("edge", "example/caddy-l4:2.10", {
      networkMode: "host",
      capabilities: { drops: ["ALL"], adds: ["NET_BIND_SERVICE"] },
      uploads: [{ file: "/etc/caddy/caddy.json", content: JSON.stringify(caddy, null, 2) }],
      command: ["caddy", "run", "--config", "/etc/caddy/caddy.json"],
      volumes: [{ volumeName: "caddy-data", containerPath: "/data" }],
    }),
    resource(
      "tailscale:index/acl:Acl",
      "policy",
      {
        acl: `{
  // Who may reach the mail server.
  "tagOwners": { "tag:mail": ["autogroup:admin"], "tag:edge": ["autogroup:admin"] },
  "grants": [
    { "src": ["tag:edge"], "dst": ["tag:mail"], "ip": ["tcp:25", "tcp:465"] },
    { "src": ["autogroup:admin"], "dst": ["tag:mail", "tag:edge"], "ip": ["tcp:22"] },
  ],
}
`,
      },
      { protect: true },
    ),
  ],
  violations: [
    ["no-hardcoded-tailnet-ip", "mailserver", "uploads[0].content (/tmp/docker-mailserver/postfix-main.cf)"],
    [
      "edge-sends-proxy-protocol",
      "edge",
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.smtp.routes[0].handle[0]",
    ],
    // Lesson 11: the node may be reached, and has no way out; and nobody was granted IMAP.
    [
      "tailnet-flows-granted",
      STACK,
      "envs (RELAY_HOST) needs tag:mail to reach outbound.tail0f3a9.ts.net:587",
    ],
    ["tailnet-flows-granted", STACK, "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.imaps"],
  ],
  notJudged: [
    ["container-least-privilege", "mailserver", "user"],
    ["container-least-privilege", "ts-mail", "user"],
    // An auth key that is made in the same update.
    ["no-hardcoded-tailnet-ip", "ts-mail", "envs[0]"],
    ["relay-target-ipv4-only", "ts-mail", "envs[0]"],
    ["secrets-not-in-plain-sight", "ts-mail", "envs[0]"],
    ["tailnet-flows-granted", STACK, "envs[0]"],
    // Which node the host's own network is: two grants may be for it.
    ["tailnet-flows-granted", STACK, "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.smtp"],
    [
      "tailnet-flows-granted",
      STACK,
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.submissions",
    ],
  ],
} satisfies Stranger;
