import { describe, expect, test } from "vitest";
import { storeNamed } from "../../policies/facts/store-variables.ts";
import { tailnetFlowsGranted as policy } from "../../policies/rules/tailnet-flows-granted.ts";
import { PASSED, runStackPolicy, type TestResource } from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const DB = "db.x.ts.net";
const container = (name: string, props: object) => resource(CONTAINER, name, { name, ...props });
const stack = (envs: string[], grants: object[]): TestResource[] => [
  container("ts", { envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:app"] }),
  container("app", { envs, networkMode: "container:ts" }),
  { type: "tailscale:index/acl:Acl", name: "acl", props: { acl: JSON.stringify({ grants }) } },
];

describe("a data store that an image's variable names must be granted:", () => {
  test.each<[image: string, envs: string[], port: number]>([
    ["Forgejo", [`FORGEJO__database__HOST=${DB}:5432`, "FORGEJO__database__DB_TYPE=postgres"], 5432],
    [
      "Forgejo without a port",
      [`FORGEJO__database__HOST=${DB}`, "FORGEJO__database__DB_TYPE=postgres"],
      5432,
    ],
    ["Forgejo on MySQL", [`FORGEJO__database__HOST=${DB}`, "FORGEJO__database__DB_TYPE=mysql"], 3306],
    ["Gitea", [`GITEA__database__HOST=${DB}:6432`, "GITEA__database__DB_TYPE=postgres"], 6432],
    ["Gitea in capitals", [`GITEA__DATABASE__HOST=${DB}:3307`], 3307],
    ["Gitea's cache", [`GITEA__cache__HOST=redis://${DB}:6380/0`], 6380],
    ["authentik", [`AUTHENTIK_POSTGRESQL__HOST=${DB}`], 5432],
    ["authentik on a port", [`AUTHENTIK_POSTGRESQL__HOST=${DB}`, "AUTHENTIK_POSTGRESQL__PORT=6432"], 6432],
    ["authentik's Redis", [`AUTHENTIK_REDIS__HOST=${DB}`], 6379],
    ["authentik's Redis on a port", [`AUTHENTIK_REDIS__HOST=${DB}`, "AUTHENTIK_REDIS__PORT=6380"], 6380],
    ["Grafana", [`GF_DATABASE_HOST=${DB}:5432`, "GF_DATABASE_TYPE=postgres"], 5432],
    ["Grafana without a port", [`GF_DATABASE_HOST=${DB}`, "GF_DATABASE_TYPE=mysql"], 3306],
    ["Grafana by a URL", [`GF_DATABASE_URL=mysql://${DB}/grafana`], 3306],
    ["Paperless", [`PAPERLESS_DBHOST=${DB}`], 5432],
    ["Paperless on a port", [`PAPERLESS_DBHOST=${DB}`, "PAPERLESS_DBPORT=6432"], 6432],
    ["Paperless on MariaDB", [`PAPERLESS_DBHOST=${DB}`, "PAPERLESS_DBENGINE=mariadb"], 3306],
    ["Paperless' Redis", [`PAPERLESS_REDIS=redis://${DB}:6379`], 6379],
    ["Nextcloud on MySQL", [`MYSQL_HOST=${DB}`, "MYSQL_DATABASE=nextcloud"], 3306],
    ["Nextcloud on Postgres", [`POSTGRES_HOST=${DB}`, "POSTGRES_DB=nextcloud"], 5432],
    ["Nextcloud's Redis", [`REDIS_HOST=${DB}`], 6379],
    ["Nextcloud's Redis on a port", [`REDIS_HOST=${DB}`, "REDIS_HOST_PORT=6380"], 6380],
    ["n8n", [`DB_POSTGRESDB_HOST=${DB}`, "DB_TYPE=postgresdb"], 5432],
    ["n8n on a port", [`DB_POSTGRESDB_HOST=${DB}`, "DB_POSTGRESDB_PORT=6432"], 6432],
    ["n8n on MySQL", [`DB_MYSQLDB_HOST=${DB}`], 3306],
    ["n8n's queue", [`QUEUE_BULL_REDIS_HOST=${DB}`, "QUEUE_BULL_REDIS_PORT=6380"], 6380],
    ["listmonk", [`LISTMONK_db__host=${DB}`, "LISTMONK_db__port=5433"], 5433],
    ["Django", [`DB_HOST=${DB}`, "DB_ENGINE=django.db.backends.postgresql"], 5432],
    ["Immich", [`DB_HOSTNAME=${DB}`, "DB_PORT=5432"], 5432],
    ["Valkey", [`VALKEY_HOST=${DB}`], 6379],
  ])("%s", async (_, envs, port) => {
    const { violations, notJudged } = await runStackPolicy(policy, stack(envs, []));
    expect(notJudged).toEqual([]);
    expect(violations).toEqual([expect.stringContaining(`to reach ${DB}:${port}, the data store, and no`)]);
    expect(violations[0]).toContain(`envs (${envs[0]?.split("=")[0]}) needs tag:app`);
    const granted = [{ src: ["tag:app"], dst: ["*"], ip: [`tcp:${port}`] }];
    expect(await runStackPolicy(policy, stack(envs, granted))).toEqual(PASSED);
  });
});

test("a name of one label is Docker's to a container that is on no tailnet", async () => {
  const [node, app, acl] = stack([`PGHOST=${DB}`], [{ src: ["tag:app"], dst: ["*"], ip: ["tcp:5432"] }]);
  const web = container("web", { envs: ["FORGEJO__database__HOST=postgres:5432"] });
  expect(await runStackPolicy(policy, [node, app, web, acl] as TestResource[])).toEqual(PASSED);
});

describe("no data store is named by", () => {
  test.each([
    ["a socket", "FORGEJO__database__HOST", "/run/postgresql"],
    ["a host of another kind", "FORGEJO__server__HOST", DB],
    ["a name that only ends alike", "GRAPHDB_HOST", DB],
    ["a user at a host", "PGHOST", `alice@${DB}`],
    ["several hosts", "REDIS_HOST", `${DB} ${DB}`],
    ["a URL", "REDIS_HOST", `redis://${DB}`],
    ["nothing", "PGHOST", ""],
    ["a host whose port nothing tells", "GF_DATABASE_HOST", DB],
    ["the port beside it", "AUTHENTIK_REDIS__PORT", "6379"],
  ])("%s", (_, name, value) => {
    expect(storeNamed(name, value, new Map())).toBeUndefined();
  });

  test.each(["0", "65536", "6379.5", "redis", ""])("the port %j, so that the kind's own holds", (port) => {
    expect(storeNamed("REDIS_HOST", "DB.", new Map([["REDIS_PORT", port]]))).toEqual({
      host: "db",
      port: 6379,
    });
  });
  test("a port of its own that is none", () => {
    expect(storeNamed("PGHOST", "db:0", new Map())).toEqual({ host: "db", port: 5432 });
    expect(storeNamed("PGHOST", "db:6432", new Map([["PGPORT", "1"]]))).toEqual({ host: "db", port: 6432 });
  });
});
