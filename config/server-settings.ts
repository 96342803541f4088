import { z } from "zod";

import { blobStoreSchema } from "../lib/settings/stores.ts";
import { settingsSchema } from "../lib/settings/schema.ts";
import { SECRET_DIRECTORY } from "../lib/stalwart/paths.ts";

const { autoBan, allowedIps, outbound, spamRules, webUi, geo, logLevel, mtaSts } = settingsSchema.shape;
const { secretFile: _, ...blobStore } = blobStoreSchema.shape;

/** Settings of the server that the rest of the config says nothing about, as the desired state has them. */
export const serverSettingsSchema = z
  .strictObject({
    takeOver: z
      .boolean({ error: "accepts true or false" })
      .default(false)
      .meta({ accepts: "true or false", examples: [true] })
      .describe(
        "Let the first `up` on a server that somebody has set up change and destroy what stands there. Without it that `up` lists all of it and writes nothing. From 0.16 on; on 0.15 a first `up` writes over what is there, and asks nobody.",
      ),
    autoBan,
    allowedIps: allowedIps
      .unwrap()
      .default([])
      .meta({ accepts: "a list of IP addresses and CIDR ranges", examples: [["198.51.100.0/24"]] })
      .describe(
        "More addresses that are never banned; the tailnet and edge.wanAddress always are among them (lesson 3).",
      ),
    connectTimeout: outbound.unwrap().shape.connectTimeout,
    spamRules,
    webUi,
    geo,
    logLevel,
    mtaSts,
    blobStore: z
      .strictObject(blobStore)
      .optional()
      .describe(
        "Where messages lie; without it in Postgres. Set it before the first mail. Its secret access key is the secret tailwart:blobStoreSecret.",
      ),
  })
  .prefault({})
  .describe("Further settings of Stalwart; docs/settings.md says which line of Stalwart offers what.");

type ServerSettings = z.output<typeof serverSettingsSchema>;

/** Where Stalwart finds the blob store's secret access key. */
const BLOB_STORE_SECRET_FILE = `${SECRET_DIRECTORY}s3`;

/** The same in the desired state's own shape. */
export function toDesired({ blobStore: store, takeOver: _, ...rest }: ServerSettings) {
  return {
    ...rest,
    ...(store && { blobStore: { ...store, secretFile: BLOB_STORE_SECRET_FILE } }),
  };
}
