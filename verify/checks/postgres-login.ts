// Postgres lets Stalwart's role in, and can be written to.
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, type Finding, lesson, ok, warn } from "../check.ts";
import { dialFrom } from "../dial.ts";
import { handshake } from "../dialogue.ts";
import { agreesToTls, PostgresError, queryOnce } from "../doctor/postgres-wire.ts";
import type { DoctorScene } from "../doctor/target.ts";

/**
 * One row: whether it is a standby, whether it is read-only, the database's size, the connections
 * that there are, those of the role, and how many a role without privileges may have. Statistics of
 * other roles' connections are counted, too (pg_stat_activity shows each as a row).
 */
const QUERY = `select pg_is_in_recovery(), current_setting('transaction_read_only'),
  pg_size_pretty(pg_database_size(current_database())),
  (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
  current_setting('server_version')`;

/** What there is to say of a row of the query. */
export function judgeRow([standby, readOnly, size, used, most, version]: string[]): Finding {
  if (standby === "t")
    return fail("Postgres is a standby: it takes no writes", { advice: "has the primary failed over?" });
  if (readOnly === "on")
    return fail("Postgres is read-only for this role", {
      advice: "is its disk full, or default_transaction_read_only set?",
      fix: "psql -c 'show default_transaction_read_only'   # on Postgres' machine",
    });
  const slots = `${used} of ${most} connections`;
  if (Number(used) > Number(most) * 0.9)
    return warn(`Postgres has little room: ${slots}`, {
      advice: "raise max_connections, or find who holds them",
    });
  return ok(`Postgres ${version} lets Stalwart's role in: ${size}, ${slots}`);
}

/** A login with Stalwart's own password, from its namespace, and a query. */
export const postgresLogin: Check<DoctorScene> = {
  id: "postgres-login",
  from: "namespace",
  needs: ["postgres", "stalwart-runs"],
  lesson: lesson(20),
  async look(scene) {
    const { settings, kvm } = scene.target;
    const { host, port, user, database, passwordFile, tls } = settings.postgres;
    const password = await scene.secret(passwordFile);
    const line = dialFrom(kvm.dockerHost, kvm.sidecar, host, port);
    line.on("error", () => undefined);
    try {
      if (tls && !(await agreesToTls(line)))
        return fail(`Postgres ${host} has no TLS, which tailwart:postgres.tls asks for`);
      const stream = tls ? await handshake(line, host) : line;
      return judgeRow(await queryOnce(stream, { user, database, password }, QUERY));
    } catch (error) {
      if (!(error instanceof PostgresError))
        return fail(`Postgres ${host} ends the login: ${wordsOf(error)}`);
      return fail(`Postgres refuses the role ${user}: ${error.message} (${error.code})`, ADVICE[error.code]);
    } finally {
      line.destroy();
    }
  },
};

/** What Postgres' refusals mean here, by SQLSTATE (its appendix A). */
const ADVICE: Record<string, { advice: string; fix?: string }> = {
  "28P01": {
    advice: "the password is not the role's; Stalwart goes on with the connections that it has",
    fix: "pulumi config set --secret tailwart:postgresPassword && pulumi up",
  },
  "28000": { advice: "no line of pg_hba.conf lets this role in from the tailnet" },
  "3D000": { advice: "the database is gone: see docs/operate.md before you make it anew" },
  "53300": {
    advice: "every connection is taken: who holds them?",
    fix: "psql -c 'select usename, count(*) from pg_stat_activity group by 1'   # on Postgres' machine",
  },
  "57P03": { advice: "it is starting, or recovering from a crash: seconds to minutes" },
};
