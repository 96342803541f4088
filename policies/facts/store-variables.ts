import { hostPort, plainHost, portOf } from "./hosts.ts";

/**
 * `PGHOST`, `APP_DB_HOST`, `FORGEJO__database__HOST`, `AUTHENTIK_REDIS__HOST`, `PAPERLESS_DBHOST`,
 * `DB_POSTGRESDB_HOST`: the kind of the store, and the word for its host.
 */
const STORE_HOST =
  /^(?:\w+_)?(PG|POSTGRES(?:QL|DB)?|MYSQL(?:DB)?|MARIADB|REDIS|VALKEY|DB|DATABASE)_*(HOST|HOSTNAME|SERVER)$/i;
/** Ports by a word in a kind or a type, such as `django.db.backends.postgresql`. */
const PORTS: readonly (readonly [kind: RegExp, port: number])[] = [
  [/^pg|postgres/i, 5432],
  [/mysql|mariadb/i, 3306],
  [/redis|valkey/i, 6379],
];
const portOfKind = (kind: string): number | undefined => PORTS.find(([shape]) => shape.test(kind))?.[1];
/** Paperless takes Postgres for granted where nothing else is said. */
const DEFAULT_KIND: Readonly<Record<string, string>> = { PAPERLESS_DBHOST: "postgres" };

/** A data store that a variable names. */
export interface NamedStore {
  readonly host: string;
  readonly port: number;
}

/**
 * The data store that a variable of a container names by its host, with the port that stands in
 * it, in the variable beside it, or that the kind of the store has. Undefined where it names none,
 * or no port is known.
 *
 * @param variables all of the container's
 * @example storeNamed("PGHOST", "db", new Map()) // { host: "db", port: 5432 }
 */
export function storeNamed(
  name: string,
  value: string,
  variables: ReadonlyMap<string, string>,
): NamedStore | undefined {
  const [, kind, word = ""] = STORE_HOST.exec(name) ?? [];
  if (kind === undefined || !/^[^\s:/@]+(?::\d+)?$/.test(value)) return undefined;
  const stem = name.slice(0, name.length - word.length);
  const beside = (...words: string[]): string | undefined =>
    words.map((one) => variables.get(stem + one)).find((text) => text !== undefined);
  const type = beside("TYPE", "DB_TYPE", "ENGINE") ?? DEFAULT_KIND[name] ?? "";
  const own = hostPort(value);
  // Nextcloud's is REDIS_HOST_PORT.
  const said = portOf(own?.[1]) ?? portOf(beside("PORT", "port", `${word}_PORT`));
  const port = said ?? portOfKind(kind) ?? portOfKind(type);
  return port === undefined ? undefined : { host: own?.[0] ?? plainHost(value), port };
}
