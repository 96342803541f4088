import { z } from "zod";

import { blobStoreSchema, inMemoryStoreSchema } from "../../lib/desired-state/stores.ts";
import { settingsSchema } from "../../lib/desired-state/schema.ts";

const { autoBan, allowedIps, outbound, spamRules, webUi, geo, logLevel, mtaSts } = settingsSchema.shape;
const { secretFile: _, ...blobStore } = blobStoreSchema.shape;
const { auth, ...inMemoryStore } = inMemoryStoreSchema.shape;

/**
 * Settings of the server that the rest of the config says nothing about, as the desired state has
 * them.
 */
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
        "More addresses that are never banned; the tailnet and the wanAddress of each of edges always are among them (lesson 3).",
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
        "Where messages lie; without it in Postgres. Set it before the first mail: on the same data store a later change is refused. Its secret access key is the secret tailwart:blobStoreSecret.",
      ),
    inMemoryStore: z
      .strictObject({
        ...inMemoryStore,
        username: auth
          .unwrap()
          .shape.username.optional()
          .describe(
            "User of Redis' ACL, default where requirepass alone is set. Its password is the secret tailwart:inMemoryStoreSecret. From 0.16 on Stalwart takes a password inside the URL alone, which its database holds in clear and every administrator is shown, so none is given: leave it out, and Redis answers machines of tags.stalwart alone, by the tailnet's grant (it must be told protected-mode no).",
          ),
      })
      .optional()
      .describe(settingsSchema.shape.inMemoryStore.description ?? ""),
  })
  .prefault({})
  .describe("Further settings of Stalwart; docs/settings.md says which line of Stalwart offers what.");

export type ServerSettings = z.output<typeof serverSettingsSchema>;
