/**
 * Blob store and in-memory store as the registry's singletons. Postgres itself is named in
 * config.json, since the registry lies in it.
 */
import { durationOf, type Json, type RegistryObjects, secretFrom } from "./spelling.ts";
import type { StalwartSettings } from "../schema.ts";
import { redisUrl } from "../stores.ts";

/**
 * Without a declaration a server that has an S3 store keeps it, since its mail would not be found
 * in another one. A Redis it lets go: nothing lasting lies there, and the grant towards it has
 * gone.
 */
export function storeObjects({ blobStore, inMemoryStore }: StalwartSettings): RegistryObjects {
  return {
    ...(blobStore && { BlobStore: s3Object(blobStore) }),
    InMemoryStore: inMemoryStore
      ? { "@type": "Redis", url: redisUrl(inMemoryStore) }
      : { "@type": "Default" },
  };
}

/** Spelling of accessKey: 0.16.16 and later; before, it was a plain string. */
function s3Object(store: NonNullable<StalwartSettings["blobStore"]>): Json {
  const region: Json =
    store.endpoint === undefined
      ? { "@type": awsRegion(store.region) }
      : { "@type": "Custom", customEndpoint: store.endpoint, customRegion: store.region };
  return {
    "@type": "S3",
    bucket: store.bucket,
    region,
    accessKey: { "@type": "Value", value: store.accessKey },
    secretKey: secretFrom(store.secretFile),
    keyPrefix: store.keyPrefix ?? null,
    timeout: durationOf(`${store.timeout}s`),
  };
}

/** @example awsRegion("eu-central-1") === "EuCentral1" */
function awsRegion(region: string): string {
  return region.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
