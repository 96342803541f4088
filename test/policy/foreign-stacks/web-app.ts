import { secret, UNKNOWN, urnOf } from "../harness.ts";
import { container, network, resource, volume, type Stranger } from "./stranger.ts";

/**
 * A web application with Postgres, a job queue and a backup, built and deployed by one program:
 * nothing is wrong with it.
 */
const image = resource("docker:index/remoteImage:RemoteImage", "postgres-image", {
  name: `postgres:17@sha256:${"4f".repeat(32)}`,
  keepLocally: true,
});
const password = resource("random:index/randomPassword:RandomPassword", "db-password", {
  length: 32,
  special: false,
});
const app = { networksAdvanced: [{ name: "app" }], capabilities: { drops: ["ALL"] }, user: "1000:1000" };
const made = { propertyDependencies: { envs: [urnOf(password)] } };

export default {
  resources: [
    network("app"),
    volume("pgdata"),
    image,
    password,
    container(
      "db",
      "",
      {
        image: UNKNOWN,
        networksAdvanced: [{ name: "app", aliases: ["postgres"] }],
        envs: ["POSTGRES_DB=shop", "POSTGRES_USER=shop", UNKNOWN],
        volumes: [{ volumeName: "pgdata", containerPath: "/var/lib/postgresql/data" }],
        healthcheck: { tests: ["CMD-SHELL", "pg_isready -U shop"], interval: "5s" },
        shmSize: 256,
      },
      { propertyDependencies: { image: [urnOf(image)], envs: [urnOf(password)] } },
    ),
    container(
      "web",
      "registry.example.org/shop/web:3.14.1",
      {
        ...app,
        envs: [
          "RAILS_ENV=production",
          "POSTGRES_HOST=postgres",
          "POSTGRES_PORT=5432",
          "REDIS_URL=redis://queue:6379/0",
          "SMTP_PORT=587",
          "SESSION_LIFETIME=1681915905",
          "APP_VERSION=100.64.1",
          secret("SECRET_KEY_BASE=b81d6c0f5e2a"),
          UNKNOWN,
        ],
        labels: [
          { label: "traefik.enable", value: "true" },
          { label: "traefik.http.routers.shop.rule", value: "Host(`shop.example.org`)" },
        ],
        healthcheck: { tests: ["CMD", "curl", "-fsS", "http://127.0.0.1:3000/up"] },
        readOnly: true,
      },
      made,
    ),
    container("queue", "valkey/valkey:8", { ...app, command: ["valkey-server", "--save", "60", "1"] }),
    container("proxy", "traefik:v3.6", {
      networksAdvanced: [{ name: "app" }],
      ports: [{ internal: 443, external: 443 }],
      command: ["--providers.file.filename=/etc/traefik/dynamic.yml", "--entrypoints.https.address=:443"],
      uploads: [
        {
          file: "/etc/traefik/dynamic.yml",
          content:
            "http:\n  services:\n    shop:\n      loadBalancer:\n        servers:\n          - url: http://web:3000\n",
        },
      ],
    }),
    resource("command:local:Command", "migrate", {
      create: "docker exec web bin/rails db:migrate",
      triggers: [UNKNOWN],
    }),
  ],
  violations: [],
  notJudged: [
    ["container-least-privilege", "db", "user"],
    ["container-least-privilege", "proxy", "user"],
    ["no-hardcoded-tailnet-ip", "db", "envs[2]"],
    ["no-hardcoded-tailnet-ip", "web", "envs[8]"],
    ["relay-target-ipv4-only", "db", "envs[2]"],
    ["relay-target-ipv4-only", "web", "envs[8]"],
    ["secrets-not-in-plain-sight", "db", "envs[2]"],
    ["secrets-not-in-plain-sight", "web", "envs[8]"],
  ],
} satisfies Stranger;
