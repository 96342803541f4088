import type { StalwartSettings } from "../desired-state/schema.ts";
import { secretFrom } from "../desired-state/registry/spelling.ts";
import { POSTGRES_OPTIONS } from "../desired-state/stores.ts";

/**
 * The config file of Stalwart 0.16 and later: the data store, and nothing else. All other settings
 * are rows of the registry inside it.
 *
 * Source: stalwart 0.16 store/src/registry/local.rs, `read_data_store`. Durations are milliseconds.
 *
 * @example JSON.parse(renderConfigJson(settings))["@type"] === "PostgreSql"
 */
export function renderConfigJson({ postgres }: StalwartSettings): string {
  const store = {
    "@type": "PostgreSql",
    host: postgres.host,
    port: postgres.port,
    database: postgres.database,
    authUsername: postgres.user,
    authSecret: secretFrom(postgres.passwordFile),
    useTls: postgres.tls,
    allowInvalidCerts: false,
    timeout: 15_000,
    options: POSTGRES_OPTIONS,
    poolMaxConnections: postgres.maxConnections,
    poolRecyclingMethod: "fast",
  };
  return `${JSON.stringify(store, null, 2)}\n`;
}
