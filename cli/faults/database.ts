/** What befalls Postgres. */
import { killPostgres, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { DATABASE_AWAY } from "./allowed.ts";
import type { Fault } from "./fault.ts";

/**
 * Of messages that are under way when the database goes Stalwart cannot take back its own locks:
 * each is tried again when the lock has expired after ten minutes (smtp/src/queue/spool.rs).
 */
const PATIENCE = 900;

const start: Fault["heal"] = async ({ layout }) => void (await startPostgres(layout, { force: true }));

export const DATABASE: readonly Fault[] = [
  {
    name: "postgres-killed",
    what: "Postgres is killed with -9, and started again after 5 s",
    inject: ({ layout }) => killPostgres(layout),
    heal: start,
    lasts: 5,
    allowed: DATABASE_AWAY,
    patience: PATIENCE,
  },
  {
    name: "postgres-stopped",
    what: "Postgres is stopped for 10 s",
    inject: ({ layout }) => stopPostgres(layout),
    heal: start,
    allowed: DATABASE_AWAY,
    patience: PATIENCE,
  },
];
