/** What befalls Postgres. */
import { setTimeout as sleep } from "node:timers/promises";

import { dropping } from "../../lab/firewall.ts";
import { killPostgres, POSTGRES, sql, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { emptySmallDisk, fillSmallDisk, moveFromSmallDisk, moveToSmallDisk } from "../../lab/small-disk.ts";
import { DATABASE_AWAY, STALWART_STARTS, WATCH_STARTS_OVER, WAY_LOST } from "./allowed.ts";
import { during, type Fault } from "./fault.ts";
import type { Allowance } from "./logs.ts";
import { AT_LEAST_ONCE } from "./server.ts";
import type { World } from "./world.ts";

/**
 * Of messages that are under way when the database goes Stalwart cannot take back its own locks:
 * each is tried again when the lock has expired after ten minutes (smtp/src/queue/spool.rs).
 */
const PATIENCE = 900;

const start: Fault["heal"] = async ({ layout }) => void (await startPostgres(layout, { force: true }));

const blackhole = ({ layout }: World) =>
  dropping(layout.machines.db, "INPUT", ["-p", "tcp", "--dport", String(POSTGRES.port)]);

/** Ends all that Stalwart has open. */
const CUT = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${POSTGRES.user}'`;

/** Says no to a question of Stalwart's, in Postgres' own words. */
const refuses = (words: RegExp, why: string): readonly Allowance[] => [
  ...DATABASE_AWAY,
  { of: "postgres", line: words, why },
];

/** Megabytes: some writes still go well, and then none. */
const ROOM = 48;

export const DATABASE: readonly Fault[] = [
  {
    name: "postgres-killed",
    what: "Postgres is killed with -9, and started again after 5 s",
    inject: ({ layout }) => killPostgres(layout),
    heal: start,
    lasts: 5,
    allowed: DATABASE_AWAY,
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-stopped",
    what: "Postgres is stopped for 10 s",
    inject: ({ layout }) => stopPostgres(layout),
    heal: start,
    allowed: DATABASE_AWAY,
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-blackholed",
    what: "what is sent to Postgres vanishes for 20 s, and nobody is told",
    ...during(blackhole),
    lasts: 20,
    allowed: [...DATABASE_AWAY, ...STALWART_STARTS, ...WATCH_STARTS_OVER, ...WAY_LOST],
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-read-only",
    what: "Postgres takes no writes for 10 s",
    inject: async ({ layout }) =>
      void (await sql(
        layout,
        "ALTER SYSTEM SET default_transaction_read_only = on;\nSELECT pg_reload_conf();",
      )),
    heal: async ({ layout }) =>
      void (await sql(layout, "ALTER SYSTEM RESET default_transaction_read_only;\nSELECT pg_reload_conf();")),
    allowed: refuses(/ERROR: {2}cannot execute .+ in a read-only transaction/, "nothing may be written"),
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-full",
    what: "others take Postgres' connections for 10 s, and leave Stalwart one",
    inject: async ({ layout }) =>
      void (await sql(layout, `ALTER ROLE ${POSTGRES.user} CONNECTION LIMIT 1;\n${CUT};`)),
    heal: async ({ layout }) => void (await sql(layout, `ALTER ROLE ${POSTGRES.user} CONNECTION LIMIT -1`)),
    allowed: refuses(/FATAL: {2}too many connections for role/, "they are used up"),
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-connections-cut",
    what: "all connections to Postgres are cut, five times in 5 s; it takes new ones at once",
    async inject({ layout }) {
      for (let time = 0; time < 5; time++) {
        await sql(layout, CUT);
        await sleep(1_000);
      }
    },
    allowed: DATABASE_AWAY,
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
  {
    name: "postgres-disk-full",
    what: "the disk of Postgres is full for 15 s",
    prepare: ({ layout }) => moveToSmallDisk(layout, ROOM),
    restore: ({ layout }) => moveFromSmallDisk(layout),
    inject: ({ layout }) => fillSmallDisk(layout),
    // One that ended for want of room is started by whoever makes room.
    async heal(world) {
      await emptySmallDisk(world.layout);
      await start(world);
    },
    lasts: 15,
    allowed: refuses(/No space left on device|could not (extend|write)/, "there is no room"),
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
];
