/** A resource of the program that is previewed: which class, and with what. */
export interface BenchResource {
  readonly kind: "Container" | "Volume" | "Network" | "Command";
  readonly name: string;
  readonly args: object;
}

/**
 * Makes the resources of the file beside it. A preview of it needs no Docker daemon. Without the
 * stack that the SDK notes for each of its promises: it is half of a large preview, differs by
 * seconds from run to run, and would hide what the pack takes.
 */
export const PROGRAM = `
Error.stackTraceLimit = 0;
const { Command } = require("@pulumi/command/local/command.js");
const { Container } = require("@pulumi/docker/container.js");
const { Network } = require("@pulumi/docker/network.js");
const { Provider } = require("@pulumi/docker/provider.js");
const { Volume } = require("@pulumi/docker/volume.js");

const host = { host: "unix:///nowhere/docker.sock", disableDockerDaemonCheck: true };
const provider = new Provider("docker", host);
const classes = { Command, Container, Network, Volume };
for (const { kind, name, args } of require("./resources.json"))
  new classes[kind](name, args, kind === "Command" ? {} : { provider });
`;

/**
 * Plain Docker resources, of the kinds and sizes that a host for some dozens of services has. They
 * break none of the policies.
 *
 * @param count how many; the provider and the stack come on top
 */
export function resourcesOf(count: number): BenchResource[] {
  return Array.from({ length: count }, (_, i): BenchResource => {
    const label = { label: "backup", value: "daily" };
    const notify = `logger 'service ${i} has changed' && systemctl reload hosts.service`;
    switch (i % 10) {
      case 0: {
        const content = JSON.stringify(makeCaddy(i), null, 2);
        return makeService(i, [{ file: "/etc/caddy/caddy.json", content }]);
      }
      case 1:
        return makeService(i, [{ file: "/etc/app/app.toml", content: TOML }]);
      case 6:
      case 7:
        return { kind: "Volume", name: `data-${i}`, args: { name: `data-${i}`, labels: [label] } };
      case 8:
        return { kind: "Network", name: `net-${i}`, args: { name: `net-${i}`, driver: "bridge" } };
      case 9:
        return { kind: "Command", name: `hook-${i}`, args: { create: notify, triggers: [String(i)] } };
      default:
        return makeService(i, []);
    }
  });
}

const TOML = `# Where the service listens, and what it writes.
listen = "0.0.0.0:8080"
[log]
level = "info"
[database]
host = "postgres"
port = 5432
`;

/** A Caddy JSON with four sites and a layer 4 route, as an edge has it. */
function makeCaddy(i: number): object {
  const sites = ["www", "wiki", "git", "chat"].map((name) => ({
    match: [{ host: [`${name}.example-${i}.org`] }],
    handle: [
      {
        handler: "subroute",
        routes: [
          { handle: [{ handler: "encode", encodings: { gzip: {}, zstd: {} } }] },
          { handle: [{ handler: "reverse_proxy", upstreams: [{ dial: `${name}-${i}:8080` }] }] },
        ],
      },
    ],
    terminal: true,
  }));
  return {
    logging: { logs: { default: { level: "INFO" } } },
    apps: {
      http: { servers: { web: { listen: [":443"], routes: sites } } },
      layer4: {
        servers: {
          mqtt: {
            listen: [":8883"],
            routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: [`broker-${i}:8883`] }] }] }],
          },
        },
      },
    },
  };
}

/** A container with what careful people set. */
function makeService(i: number, uploads: object[]): BenchResource {
  const name = `service-${i}`;
  const args = {
    name,
    image: `registry.example.org/apps/service@sha256:${String(i).padStart(64, "0")}`,
    restart: "always",
    networkMode: "bridge",
    user: "1000:1000",
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    envs: [
      "LANG=C.UTF-8",
      "TZ=Europe/Berlin",
      `SERVICE_NAME=${name}`,
      `DATABASE_HOST=postgres-${i % 7}`,
      "DATABASE_PORT=5432",
      `DATABASE_NAME=app_${i}`,
      "DATABASE_PASSWORD_FILE=/run/secrets/database",
      `PUBLIC_URL=https://app.example-${i}.org/`,
      "LOG_LEVEL=info",
      "CACHE_URL=redis://cache:6379/0",
    ],
    labels: [
      { label: "org.opencontainers.image.title", value: name },
      { label: "team", value: `team-${i % 5}` },
      { label: "traefik.enable", value: "false" },
    ],
    healthcheck: {
      tests: ["CMD-SHELL", "wget -qO- http://127.0.0.1:8080/healthz || exit 1"],
      interval: "10s",
      timeout: "3s",
      retries: 3,
    },
    hosts: [{ host: "metrics", ip: "10.20.30.40" }],
    mounts: [{ type: "tmpfs", target: "/tmp" }],
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    uploads,
  };
  return { kind: "Container", name, args };
}
