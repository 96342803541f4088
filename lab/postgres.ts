import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startDaemon, stopDaemon } from "./daemon.ts";
import type { Layout } from "./topology.ts";
import { INSIDE, runIn, succeeds } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { secretsOf } from "./secrets.ts";

export const POSTGRES = { host: "the-record-prod", port: 5432, database: "stalwart", user: "stalwart" };

/** The cluster, as the machine sees it. */
export const POSTGRES_DATA = `${INSIDE}/postgres`;
/** Postgres refuses to run as root. */
const AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --init-groups --".split(" ");

/**
 * Starts Postgres on the machine `db`, or finds it running; on the first start makes the cluster,
 * the role and the database. Stays down after `stopPostgres`, until `startPostgres` with `force`.
 *
 * @returns "started", "running", or "held" when it was stopped on purpose
 */
export async function startPostgres(
  layout: Layout,
  { force = false }: { force?: boolean } = {},
): Promise<"started" | "running" | "held"> {
  const machine = layout.machines.db;
  if (force) rmSync(heldFile(layout), { force: true });
  if (existsSync(heldFile(layout))) return "held";
  await initialize(layout);
  const command = [...AS_POSTGRES, toolPath("postgres"), "-D", POSTGRES_DATA];
  const ready = [toolPath("pg_isready"), "--quiet", "--host=/run/postgresql"];
  const started = await startDaemon({ machine, name: "postgres", command }, () => succeeds(machine, ready));
  await ensureDatabase(layout);
  return started ? "started" : "running";
}

/** Stops Postgres: its port is closed when this returns. It stays down through the next `up`. */
export async function stopPostgres(layout: Layout): Promise<void> {
  writeFileSync(heldFile(layout), "stopped with `npm run lab -- postgres stop`\n");
  // SIGINT: "fast shutdown", which does not wait for clients.
  await stopDaemon({ machine: layout.machines.db, name: "postgres" }, { signalName: "SIGINT" });
}

/** Kills Postgres as the kernel does when memory is short: nothing is written back, nobody told. */
export async function killPostgres(layout: Layout): Promise<void> {
  await stopDaemon({ machine: layout.machines.db, name: "postgres" }, { signalName: "SIGKILL" });
}

/** Runs SQL as the superuser and returns psql's bare output. */
export async function sql(layout: Layout, text: string, database = "postgres"): Promise<string> {
  const psql = [toolPath("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql", "-d", database];
  return (await runIn(layout.machines.db, [...AS_POSTGRES, ...psql], { stdin: text })).stdout.trim();
}

async function initialize(layout: Layout): Promise<void> {
  const machine = layout.machines.db;
  await runIn(machine, ["install", "-d", "-o", "postgres", "-m", "0755", "/run/postgresql"]);
  const folder = join(machine.dir, "postgres");
  // The last step writes this file, so a killed initdb is begun again.
  if (existsSync(join(folder, "tailwart.ready"))) return;
  // The initdb of a killed `up` may still be at work, and would put its files beside the new one's.
  // Until the cluster is ready nothing else of that user runs in the machine, whose process ids are
  // its own.
  const ended = "pkill -KILL -u postgres; while pgrep -u postgres >/dev/null; do sleep 0.05; done";
  await runIn(machine, ["sh", "-c", ended], { timeout: 10_000 });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  await runIn(machine, ["chown", "postgres:postgres", POSTGRES_DATA]);
  const options = ["--username=postgres", "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8"];
  await runIn(machine, [...AS_POSTGRES, toolPath("initdb"), "-D", POSTGRES_DATA, ...options]);
  const config = [
    "listen_addresses = '*'",
    "unix_socket_directories = '/run/postgresql'",
    "password_encryption = 'scram-sha-256'",
    "log_connections = on",
    "",
  ];
  writeFileSync(join(folder, "postgresql.conf"), config.join("\n"));
  const rules = [
    "local all postgres peer",
    // Over the tailnet alone.
    ...["100.64.0.0/10", "fd7a:115c:a1e0::/48"].map(
      (range) => `host ${POSTGRES.database} ${POSTGRES.user} ${range} scram-sha-256`,
    ),
    "",
  ];
  writeFileSync(join(folder, "pg_hba.conf"), rules.join("\n"));
  writeFileSync(join(folder, "tailwart.ready"), "");
}

async function ensureDatabase(layout: Layout): Promise<void> {
  const { user, database } = POSTGRES;
  if ((await sql(layout, `SELECT 1 FROM pg_database WHERE datname = '${database}'`)) === "1") return;
  const { postgresPassword } = secretsOf(layout);
  await sql(
    layout,
    `DROP ROLE IF EXISTS ${user};\nCREATE ROLE ${user} LOGIN PASSWORD '${postgresPassword}';`,
  );
  await sql(layout, `CREATE DATABASE ${database} OWNER ${user}`);
}

function heldFile(layout: Layout): string {
  return join(layout.machines.db.dir, "postgres.held");
}
