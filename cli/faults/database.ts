/** What befalls Postgres. */
import { runIn } from "../../lab/machine.ts";
import { killPostgres, POSTGRES, startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { DATABASE_AWAY, STALWART_STARTS, WATCH_STARTS_OVER } from "./allowed.ts";
import type { Fault } from "./fault.ts";
import { AT_LEAST_ONCE } from "./server.ts";
import type { World } from "./world.ts";

/**
 * Of messages that are under way when the database goes Stalwart cannot take back its own locks:
 * each is tried again when the lock has expired after ten minutes (smtp/src/queue/spool.rs).
 */
const PATIENCE = 900;

const start: Fault["heal"] = async ({ layout }) => void (await startPostgres(layout, { force: true }));

/** Drops what comes in for Postgres on its own machine, or takes that back. */
async function blackhole({ layout }: World, action: "-I" | "-D"): Promise<void> {
  const rule = ["INPUT", "-p", "tcp", "--dport", String(POSTGRES.port), "-j", "DROP"];
  await runIn(layout.machines.db, ["iptables", action, ...rule]);
}

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
    inject: (world) => blackhole(world, "-I"),
    heal: (world) => blackhole(world, "-D"),
    lasts: 20,
    allowed: [...DATABASE_AWAY, ...STALWART_STARTS, ...WATCH_STARTS_OVER],
    duplicates: AT_LEAST_ONCE,
    patience: PATIENCE,
  },
];
