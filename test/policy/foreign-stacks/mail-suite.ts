import { secret } from "../harness.ts";
import { container, network, volume, type Stranger } from "./stranger.ts";

/**
 * A groupware suite of a dozen containers on one bridge with IPv6, published straight to the
 * internet.
 */
const on = (address: string) => ({
  networksAdvanced: [{ name: "suite", ipv4Address: address, aliases: [] }],
});
const database = [secret("DBPASS=3Zt9qLw0vTnYb7Rk"), "DBNAME=suite", "DBUSER=suite"];
const publish = (...ports: number[]) => ({
  ports: ports.map((port) => ({ internal: port, external: port, protocol: "tcp" })),
});
const mount = (volumeName: string, containerPath: string) => ({ volumes: [{ volumeName, containerPath }] });

export default {
  resources: [
    network("suite", {
      ipv6: true,
      ipamConfigs: [{ subnet: "172.22.1.0/24" }, { subnet: "fd4d:6169:6c63:6f77::/64" }],
    }),
    ...["mysql", "redis", "vmail", "crypt", "postfix"].map(volume),
    container("unbound", "suite/unbound:1.24", {
      ...on("172.22.1.254"),
      envs: ["TZ=Europe/Berlin", "SKIP_UNBOUND_HEALTHCHECK=n"],
    }),
    container("mysql", "mariadb:10.11", {
      ...mount("mysql", "/var/lib/mysql"),
      ...on("172.22.1.2"),
      dns: ["172.22.1.254"],
      envs: [...database, secret("MYSQL_ROOT_PASSWORD=9sKq2LmWx8VbNc1P")],
      stopTimeout: 45,
    }),
    // The password of the cache stands in the open, in a variable and on a command line.
    container("redis", "redis:7.4-alpine", {
      ...mount("redis", "/data"),
      ...on("172.22.1.249"),
      command: ["redis-server", "--requirepass", "Wq7dK3nRzT5yHb"],
      envs: ["TZ=Europe/Berlin", "REDISPASS=Wq7dK3nRzT5yHb"],
      sysctls: { "net.core.somaxconn": "4096" },
    }),
    container("dovecot", "suite/dovecot:2.33", {
      ...mount("vmail", "/var/vmail"),
      ...on("172.22.1.250"),
      ...publish(110, 143, 993, 995, 4190),
      capabilities: { adds: ["NET_BIND_SERVICE"] },
      dns: ["172.22.1.254"],
      envs: [...database, "MAILDIR_SUB=Maildir", "ACL_ANYONE=disallow", "IPV4_NETWORK=172.22.1"],
    }),
    container("postfix", "suite/postfix:1.80", {
      ...mount("postfix", "/var/spool/postfix"),
      ...on("172.22.1.253"),
      ...publish(25, 465, 587),
      capabilities: { adds: ["NET_BIND_SERVICE"] },
      dns: ["172.22.1.254"],
      envs: [...database, "LOG_LINES=9999", "REDIS_SLAVEOF_IP=", "REDIS_SLAVEOF_PORT="],
    }),
    container("nginx", "suite/nginx:1.03", {
      ...on("172.22.1.10"),
      ...publish(80, 443),
      envs: [
        "HTTP_PORT=80",
        "HTTPS_PORT=443",
        "MAILCOW_HOSTNAME=mail.example.org",
        "REDISHOST=redis",
        "PHPFPMHOST=php-fpm",
      ],
      uploads: [
        {
          file: "/etc/nginx/conf.d/site.conf",
          content:
            "server {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://php-fpm:9000;\n  }\n}\n",
        },
      ],
    }),
    container("acme", "suite/acme:1.93", {
      ...on("172.22.1.11"),
      dns: ["172.22.1.254"],
      envs: [
        ...database,
        "ADDITIONAL_SAN=smtp.example.org,imap.example.org",
        "ENABLE_SSL_SNI=n",
        "SKIP_LETS_ENCRYPT=n",
      ],
    }),
    // Watches the kernel's log and bans: needs the host's tables, not the whole host.
    container("netfilter", "suite/netfilter:1.62", {
      networkMode: "host",
      privileged: true,
      envs: ["IPV4_NETWORK=172.22.1", "SNAT_TO_SOURCE=n", "MAILCOW_REPLICA_IP="],
      volumes: [{ hostPath: "/lib/modules", containerPath: "/lib/modules", readOnly: true }],
    }),
    container("dockerapi", "suite/dockerapi:2.11", {
      ...on("172.22.1.12"),
      securityOpts: ["label=disable"],
      volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/var/run/docker.sock", readOnly: true }],
    }),
    container("ofelia", "", {
      ...on("172.22.1.13"),
      image: "mcuadros/ofelia:latest",
      command: ["daemon", "--docker"],
      labels: [{ label: "ofelia.enabled", value: "true" }],
    }),
  ],
  violations: [
    ["secrets-not-in-plain-sight", "redis", "command[2]"],
    ["secrets-not-in-plain-sight", "redis", "envs (REDISPASS)"],
    ["container-least-privilege", "netfilter", "privileged"],
    ["container-least-privilege", "dockerapi", "securityOpts[0]"],
    ["container-least-privilege", "dockerapi", "volumes[0].hostPath"],
    ["image-pinned-by-digest", "ofelia", "image"],
  ],
  notJudged: [
    ["container-least-privilege", "acme", "user"],
    ["container-least-privilege", "dockerapi", "user"],
    ["container-least-privilege", "dovecot", "user"],
    ["container-least-privilege", "mysql", "user"],
    ["container-least-privilege", "netfilter", "user"],
    ["container-least-privilege", "nginx", "user"],
    ["container-least-privilege", "ofelia", "user"],
    ["container-least-privilege", "postfix", "user"],
    ["container-least-privilege", "redis", "user"],
    ["container-least-privilege", "unbound", "user"],
  ],
} satisfies Stranger;
