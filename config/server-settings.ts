import { z } from "zod";

import { blobStoreSchema } from "../lib/settings/stores.ts";
import { settingsSchema } from "../lib/settings/schema.ts";
import { SECRET_DIRECTORY } from "../lib/stalwart/paths.ts";

const { autoBan, allowedIps, outbound, spamRules, logLevel, mtaSts, publishRecords } = settingsSchema.shape;
const { secretFile: _, ...blobStore } = blobStoreSchema.shape;

/** Settings of the server that the rest of the config says nothing about, as the desired state has them. */
export const serverSettingsSchema = z
  .strictObject({
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
    logLevel,
    mtaSts,
    publishRecords,
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
export function toDesired({ connectTimeout, blobStore: store, mtaSts: policy, ...rest }: ServerSettings) {
  return {
    ...rest,
    connectTimeout,
    ...(policy && { mtaSts: policy }),
    ...(store && { blobStore: { ...store, secretFile: BLOB_STORE_SECRET_FILE } }),
  };
}
