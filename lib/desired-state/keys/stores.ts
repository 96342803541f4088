/**
 * Stores in the keys of the 0.15 line: in its config file, since the data store cannot say where it
 * is itself.
 */
import { file, type SettingKeys } from "./spelling.ts";
import type { StalwartSettings } from "../schema.ts";
import { POSTGRES_OPTIONS, redisUrl } from "../stores.ts";

/** @example storeKeys(settings)["storage.blob"] === "s3" */
export function storeKeys({ postgres, blobStore, inMemoryStore }: StalwartSettings): SettingKeys {
  return {
    "store.postgres.type": "postgresql",
    "store.postgres.host": postgres.host,
    "store.postgres.port": String(postgres.port),
    "store.postgres.database": postgres.database,
    "store.postgres.user": postgres.user,
    "store.postgres.password": file(postgres.passwordFile),
    "store.postgres.tls.enable": String(postgres.tls),
    "store.postgres.tls.allow-invalid-certs": "false",
    "store.postgres.timeout": "15s",
    "store.postgres.options": POSTGRES_OPTIONS,
    "store.postgres.pool.max-connections": String(postgres.maxConnections),
    ...(blobStore && s3Keys(blobStore)),
    ...(inMemoryStore && redisKeys(inMemoryStore)),
    "storage.data": "postgres",
    "storage.blob": blobStore ? "s3" : "postgres",
    "storage.fts": "postgres",
    "storage.lookup": inMemoryStore ? "redis" : "postgres",
    "storage.directory": "internal",
    "directory.internal.type": "internal",
    "directory.internal.store": "postgres",
  };
}

/** Source: stalwart-lite 0.16.0 store/src/backend/s3/mod.rs. */
function s3Keys(store: NonNullable<StalwartSettings["blobStore"]>): SettingKeys {
  return {
    "store.s3.type": "s3",
    "store.s3.bucket": store.bucket,
    "store.s3.region": store.region,
    ...(store.endpoint !== undefined && { "store.s3.endpoint": store.endpoint }),
    "store.s3.access-key": store.accessKey,
    "store.s3.secret-key": file(store.secretFile),
    ...(store.keyPrefix !== undefined && { "store.s3.key-prefix": store.keyPrefix }),
    "store.s3.timeout": `${store.timeout}s`,
  };
}

/**
 * A macro is expanded wherever it stands in a value, and the URL parsed afterwards.
 *
 * Source: stalwart 0.15.5 store/src/backend/redis/mod.rs and utils/src/config/mod.rs,
 * `resolve_macro_type`.
 */
function redisKeys(store: NonNullable<StalwartSettings["inMemoryStore"]>): SettingKeys {
  const login = store.auth && `${encodeURIComponent(store.auth.username)}:${file(store.auth.secretFile)}@`;
  return { "store.redis.type": "redis", "store.redis.urls": redisUrl(store, login) };
}
