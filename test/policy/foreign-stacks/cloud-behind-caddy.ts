import { secret } from "../harness.ts";
import { container, network, volume, type Stranger } from "./stranger.ts";

/** A file cloud with its database and cache behind a Caddy that ends TLS. */
const caddyfile = `{
	email admin@example.org
}

cloud.example.org {
	encode zstd gzip
	header Strict-Transport-Security "max-age=31536000"
	redir /.well-known/carddav /remote.php/dav 301
	reverse_proxy cloud:80
}

office.example.org {
	reverse_proxy office:9980
}

nas.example.org {
	# by its name on the tailnet would outlive the next login
	reverse_proxy 100.101.102.103:5000
}
`;
const app = { networksAdvanced: [{ name: "cloud" }] };

export default {
  resources: [
    network("cloud"),
    ...["caddy-data", "caddy-config", "cloud", "db"].map(volume),
    container("caddy", "caddy:2.10-alpine", {
      ...app,
      ports: [
        { internal: 80, external: 80 },
        { internal: 443, external: 443 },
        { internal: 443, external: 443, protocol: "udp" },
      ],
      capabilities: { adds: ["CAP_NET_BIND_SERVICE"] },
      uploads: [{ file: "/etc/caddy/Caddyfile", content: caddyfile }],
      volumes: [
        { volumeName: "caddy-data", containerPath: "/data" },
        { volumeName: "caddy-config", containerPath: "/config" },
      ],
    }),
    container("cloud", "nextcloud:31-apache", {
      ...app,
      envs: [
        "MYSQL_HOST=db",
        "MYSQL_DATABASE=cloud",
        "MYSQL_USER=cloud",
        "MYSQL_PASSWORD=correct-horse-42",
        "REDIS_HOST=redis",
        "SMTP_HOST=relay.example.org",
        "SMTP_PORT=587",
        "SMTP_PASSWORD_FILE=/run/secrets/smtp",
        "TRUSTED_PROXIES=172.16.0.0/12",
        "OVERWRITEPROTOCOL=https",
      ],
      volumes: [{ volumeName: "cloud", containerPath: "/var/www/html" }],
    }),
    container("db", "mariadb:11.8", {
      ...app,
      command: ["--transaction-isolation=READ-COMMITTED", "--binlog-format=ROW"],
      envs: [
        "MARIADB_AUTO_UPGRADE=1",
        "MYSQL_DATABASE=cloud",
        secret("MYSQL_PASSWORD=correct-horse-42"),
        "MYSQL_RANDOM_ROOT_PASSWORD=yes",
      ],
      volumes: [{ volumeName: "db", containerPath: "/var/lib/mysql" }],
    }),
    container("redis", "redis:8-alpine", { ...app, user: "999:999", readOnly: true, tmpfs: { "/data": "" } }),
    container("office", "collabora/code:25.04", {
      ...app,
      image: "collabora/code:latest",
      capabilities: { adds: ["SYS_ADMIN"] },
      envs: [
        "aliasgroup1=https://cloud.example.org:443",
        "extra_params=--o:ssl.enable=false --o:ssl.termination=true",
      ],
    }),
  ],
  violations: [
    ["no-hardcoded-tailnet-ip", "caddy", "uploads[0].content (/etc/caddy/Caddyfile)"],
    ["secrets-not-in-plain-sight", "cloud", "envs (MYSQL_PASSWORD)"],
    ["image-pinned-by-digest", "office", "image"],
    ["container-least-privilege", "office", "capabilities.adds[0]"],
  ],
  notJudged: [
    ["container-least-privilege", "caddy", "user"],
    ["container-least-privilege", "cloud", "user"],
    ["container-least-privilege", "db", "user"],
    ["container-least-privilege", "office", "user"],
    // No request is made for a name unless a resolver is configured.
    ["relay-target-ipv4-only", "(stack)", "envs (SMTP_HOST) relay.example.org"],
  ],
} satisfies Stranger;
