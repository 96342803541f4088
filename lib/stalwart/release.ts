/**
 * Lines of Stalwart that tailwart knows. A data store of one cannot be opened by another (upgrade
 * guides of 0.16 and 1.0).
 */
export const LINES = ["0.15", "0.16", "1"] as const;
export type Line = (typeof LINES)[number];

/**
 * How a server's settings are reached: flat keys behind /api/settings, or objects of the registry
 * behind /jmap.
 */
export type Generation = "keys" | "registry";

/** The generation of a line. @example generationOf("0.15") === "keys" */
export const generationOf = (line: Line): Generation => (line === "0.15" ? "keys" : "registry");

/**
 * The line that an image's tag names, or undefined when it names none, or one that tailwart does
 * not know.
 *
 * @example lineOfImage("stalwartlabs/stalwart:v0.16.18@sha256:…") === "0.16"
 * @example lineOfImage("stalwart@sha256:…") === undefined
 */
export function lineOfImage(image: string): Line | undefined {
  // Not of the digest, whose first digit would be taken for a version.
  const [tagged = ""] = image.split("@");
  const [, major, minor] = /:v?(\d+)(?:\.(\d+))?[^/:]*$/.exec(tagged) ?? [];
  if (major === undefined) return undefined;
  const line = major === "0" ? `0.${minor ?? ""}` : major;
  return LINES.find((known) => known === line);
}

/** What runs on which data store. */
export interface Deployed {
  line: string;
  /** `host:port/database`. */
  dataStore: string;
  /** Where messages lie: `postgres`, or endpoint or region, bucket and prefix of an S3 service. */
  blobStore: string;
  /** Docker daemon that it runs on. */
  dockerHost: string;
  /** The stack's name: part of the names of containers and volumes. */
  stack: string;
}

/**
 * Why the server of one deploy must not take over the data store of another, or nothing when it
 * may.
 *
 * @example
 * refusedJump({ line: "0.16", dataStore: "db:5432/mail" }, { line: "1", dataStore: "db:5432/mail"
 *   })
 */
export function refusedJump(before: Partial<Deployed>, after: Partial<Deployed>): string | undefined {
  if (!before.line || !after.line || before.line === after.line || before.dataStore !== after.dataStore)
    return undefined;
  return (
    `goes from Stalwart ${before.line} to ${after.line} on the same data store ${after.dataStore}, which neither can share; ` +
    "migrate into a new, empty database first, and name that in tailwart:postgres.database"
  );
}

/**
 * Why messages must not go to another place from now on, or nothing when they may: the data store
 * would still list those of before, and nobody could read one. tailwart moves none.
 *
 * @example
 * refusedBlobs({ dataStore: "db:5432/mail", blobStore: "postgres" }, { dataStore: "db:5432/mail",
 *   blobStore: "s3.tail.test/mail" })
 */
export function refusedBlobs(before: Partial<Deployed>, after: Partial<Deployed>): string | undefined {
  if (!before.blobStore || !after.blobStore || before.blobStore === after.blobStore) return undefined;
  if (before.dataStore !== after.dataStore) return undefined;
  return (
    `puts messages into ${after.blobStore} from now on, while those of ${after.dataStore} lie in ${before.blobStore}, where nobody would look; ` +
    "write tailwart:settings.blobStore back, or where no mail has come yet, name a new, empty database in tailwart:postgres.database too"
  );
}

/**
 * Why a server must not come up on another host, or nothing when it may: the one on the host before
 * would go on, on the same data store and under the same name, and no step of the engine would end
 * it.
 *
 * @example refusedMove({ dockerHost: "ssh://root@old" }, { dockerHost: "ssh://root@new" })
 */
export function refusedMove(before: Partial<Deployed>, after: Partial<Deployed>): string | undefined {
  if (!before.dockerHost || !after.dockerHost || before.dockerHost === after.dockerHost) return undefined;
  return (
    `moves Stalwart from ${before.dockerHost} to ${after.dockerHost}, while the state holds what runs on the one before: two servers would share ` +
    'one data store; take it away there first, as docs/operate.md, "A new KVM host", says'
  );
}

/**
 * Why a stack must keep its name, or nothing when it has: every container and volume is called by
 * it, and another name would take the running ones away before it stops at a volume that is
 * protected.
 *
 * @example refusedName({ stack: "prod" }, { stack: "mail" })
 */
export function refusedName(before: Partial<Deployed>, after: Partial<Deployed>): string | undefined {
  if (!before.stack || !after.stack || before.stack === after.stack) return undefined;
  return (
    `is ${after.stack}, but what runs was deployed as ${before.stack}, and is called so on its hosts; ` +
    `name it back: pulumi stack rename ${before.stack}`
  );
}
