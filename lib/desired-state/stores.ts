/** Where the server keeps things, in the desired state. */
import { z } from "zod";

import { SECRET_DIRECTORY } from "../stalwart/paths.ts";
import { hostName, plain, port, secretBelow, secretFile } from "./primitives.ts";

const tls = z
  .boolean({ error: "accepts true or false" })
  .default(false)
  .meta({ accepts: "true or false", examples: [false, true] })
  .describe(
    "Encrypt the connection and verify the server's certificate. WireGuard encrypts what goes to a machine of the tailnet already.",
  );

export const postgresSchema = z.strictObject({
  host: hostName
    .meta({ examples: ["the-record-prod.tail7b1641.ts.net", "db.tail7b1641.ts.net"] })
    .describe("Postgres' machine, by its MagicDNS name; with tls any host name."),
  port: port
    .default(5432)
    .meta({ examples: [5432, 5433] })
    .describe("Its port."),
  database: plain("a database name")
    .default("stalwart")
    .meta({ examples: ["stalwart", "mail"] })
    .describe("Name of the database."),
  user: plain("a role's name")
    .default("stalwart")
    .meta({ examples: ["stalwart", "mail"] })
    .describe("Role that owns it."),
  tls,
  passwordFile: secretFile
    .default(`${SECRET_DIRECTORY}postgres`)
    .meta(secretBelow("postgres", "postgres-new"))
    .describe("File in the container with the role's password, and nothing else (no line break)."),
  maxConnections: z
    .int({ error: "accepts a whole number from 2 to 200" })
    .min(2, { error: "accepts a whole number from 2 to 200" })
    .max(200, { error: "accepts a whole number from 2 to 200" })
    .default(10)
    .meta({ accepts: "a whole number from 2 to 200", examples: [10, 20] })
    .describe("Size of Stalwart's connection pool."),
});

/**
 * What every connection asks of Postgres: to let go of a client that is gone, after 30 seconds. A
 * killed namespace closes nothing, and by the kernel's defaults its connections would stay for two
 * hours: after some thirty restarts of the sidecar within them Postgres takes no more.
 *
 * Source: PostgreSQL, `options` of libpq and `tcp_keepalives_idle`, `tcp_user_timeout` (seen with
 * 10 connections of 100: lesson 20).
 */
export const POSTGRES_OPTIONS = [
  "tcp_keepalives_idle=15",
  "tcp_keepalives_interval=5",
  "tcp_keepalives_count=3",
  "tcp_user_timeout=30000",
]
  .map((setting) => `-c ${setting}`)
  .join(" ");

/**
 * What Stalwart does without it is read from its source: a delivery takes a lock there first and is
 * tried again when the lock would have ended (smtp/src/queue/spool.rs, `try_lock_event`,
 * `LOCK_EXPIRY`), and an HTTP request that cannot be counted is an error
 * (common/src/auth/rate_limit.rs).
 */
export const inMemoryStoreSchema = z.strictObject({
  type: z
    .literal("redis", { error: "accepts redis" })
    .meta({ accepts: "redis", examples: ["redis"] })
    .describe("One Redis, or one Valkey; neither a cluster nor Sentinel."),
  host: hostName
    .meta({ examples: ["redis.tail7b1641.ts.net", "redis-2.tail7b1641.ts.net"] })
    .describe("Redis' machine, by its MagicDNS name; with tls and a password any host name."),
  port: port
    .default(6379)
    .meta({ examples: [6379, 6380] })
    .describe("Its port."),
  database: z
    .int({ error: "accepts a database's number, from 0 on" })
    .min(0, { error: "accepts a database's number, from 0 on" })
    .default(0)
    .meta({ accepts: "a database's number, from 0 on", examples: [0, 1] })
    .describe("Number of the database (SELECT)."),
  tls,
  auth: z
    .strictObject({
      username: plain("a user of Redis' ACL")
        .meta({ examples: ["stalwart", "default"] })
        .describe("Login at Redis (AUTH)."),
      secretFile: secretFile
        .default(`${SECRET_DIRECTORY}redis`)
        .meta(secretBelow("redis", "redis-new"))
        .describe(
          "File in the container with the password as a URL spells it (percent-encoded), and nothing else (no line break).",
        ),
    })
    .optional()
    .describe("Login, where Redis asks for one."),
});

/**
 * Where Redis is, as Stalwart takes it in either generation.
 *
 * @param login what stands before the host, with its @
 * @example
 * redisUrl({ host: "redis.tail.test", port: 6379, database: 0, tls: false }) ===
 *   "redis://redis.tail.test:6379/0"
 */
export function redisUrl(
  { host, port, database, tls }: Omit<z.output<typeof inMemoryStoreSchema>, "type" | "auth">,
  login = "",
): string {
  return `${tls ? "rediss" : "redis"}://${login}${host}:${port}/${database}`;
}

/**
 * Amazon's regions that both generations know by name. Any other service is told by its endpoint: a
 * region that the 0.15 line does not know it takes for a host name, silently (aws-region's
 * `FromStr`).
 */
export const AWS_REGIONS = [
  ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "af-south-1", "ap-east-1"],
  ...["ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"],
  ...["cn-north-1", "cn-northwest-1", "eu-north-1", "eu-central-1", "eu-central-2", "eu-west-1", "eu-west-2"],
  ...["eu-west-3", "il-central-1", "me-south-1", "sa-east-1"],
];

export const blobStoreSchema = z
  .strictObject({
    type: z
      .literal("s3", { error: "accepts s3" })
      .meta({ accepts: "s3", examples: ["s3"] })
      .describe("An S3 service; requests are path-style."),
    bucket: z
      .string({ error: "accepts a bucket's name" })
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
        error: "accepts a bucket's name: 3 to 63 of a-z, 0-9, dots and dashes",
      })
      .meta({ accepts: "a bucket's name", examples: ["mail-blobs", "mail-blobs-2"] })
      .describe("The bucket; it must exist."),
    region: z
      .string({ error: "accepts a region, such as eu-central-1" })
      .regex(/^[a-z0-9-]{1,32}$/, { error: "accepts a region, such as eu-central-1" })
      .default("us-east-1")
      .meta({
        accepts: "one of Amazon's regions, or what the endpoint calls its own",
        examples: ["eu-central-1", "auto"],
      })
      .describe("Region that requests are signed for."),
    endpoint: z
      .url({ protocol: /^https?$/, error: "accepts the URL of an S3 service" })
      .regex(/^https?:\/\/[^/?#@]+$/, {
        error: "accepts an S3 service's URL without a path, a query and credentials",
      })
      .optional()
      .meta({ accepts: "a URL", examples: ["https://s3.example.org", "https://s3.example.net"] })
      .describe(
        "The service, where it is not Amazon's. The 0.15 line does not verify its certificate (rust-s3 with no-verify-ssl): reach it over the tailnet.",
      ),
    accessKey: plain("an access key's id")
      .meta({ examples: ["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"] })
      .describe("Names the key; Stalwart shows it to every administrator."),
    secretFile: secretFile
      .default(`${SECRET_DIRECTORY}s3`)
      .meta(secretBelow("s3", "s3-new"))
      .describe("File in the container with the secret access key, and nothing else (no line break)."),
    keyPrefix: z
      .string({ error: "accepts a beginning of object keys" })
      .regex(/^[A-Za-z0-9._/-]{1,64}$/, {
        error:
          "accepts a beginning of object keys: 1 to 64 of A-Z, a-z, 0-9, dots, dashes, underscores and slashes",
      })
      .optional()
      .meta({ accepts: "a beginning of object keys", examples: ["stalwart/", "mail/"] })
      .describe("What the keys of all objects begin with."),
    timeout: z
      .int({ error: "accepts whole seconds from 1 to 600" })
      .min(1, { error: "accepts whole seconds from 1 to 600" })
      .max(600, { error: "accepts whole seconds from 1 to 600" })
      .default(30)
      .meta({ accepts: "whole seconds from 1 to 600", examples: [30, 60] })
      .describe(
        "Seconds that a request may take; on the 0.15 line that a connection may take, and then it waits for an answer for ever.",
      ),
  })
  .superRefine(({ region, endpoint }, context) => {
    if (endpoint === undefined && !AWS_REGIONS.includes(region))
      context.addIssue({
        code: "custom",
        path: ["endpoint"],
        message: `is needed, since "${region}" is none of Amazon's regions; accepts the service's URL, such as https://s3.example.org`,
      });
  });
