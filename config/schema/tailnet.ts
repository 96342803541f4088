import { z } from "zod";

import { dnsName, hostName, tag } from "./primitives.ts";

/** The tailnet, and how Stalwart's node is in it. */
export const tailnetSchema = z.strictObject({
  domain: dnsName("tail7b1641.ts.net").describe(
    "The tailnet's DNS name: MagicDNS names end in it (admin console, DNS).",
  ),
  hostname: hostName("stalwart")
    .default("stalwart")
    .describe("Machine name of the sidecar; the edge dials <hostname>.<domain>."),
  identity: z
    .enum(["persistent", "ephemeral"], { error: 'accepts "persistent" or "ephemeral"' })
    .default("persistent")
    .meta({ accepts: '"persistent" or "ephemeral"', examples: ["persistent"] })
    .describe(
      "persistent keeps the node's key on a volume, so its address stays; ephemeral makes a new node at each start (lesson 6).",
    ),
  tags: z
    .strictObject({
      stalwart: tag("tag:stalwart")
        .default("tag:stalwart")
        .describe("Tag of the sidecar, and so of Stalwart."),
      edge: tag("tag:reverse-proxy").default("tag:reverse-proxy").describe("Tag of the edge box."),
      postgres: tag("tag:db").default("tag:db").describe("Tag of Postgres' machine."),
      relay: tag("tag:mail").default("tag:mail").describe("Tag of the smarthost."),
      redis: tag("tag:redis")
        .default("tag:redis")
        .describe("Tag of the machine that settings.inMemoryStore names."),
      s3: tag("tag:s3")
        .default("tag:s3")
        .describe("Tag of the machine that settings.blobStore.endpoint names."),
    })
    .prefault({})
    .describe("The tags of the kinds of node. A machine of several kinds carries several."),
  tagOwners: z
    .array(z.string())
    .default(["autogroup:admin"])
    .meta({ accepts: "a list of users, groups or tags", examples: [["autogroup:admin"]] })
    .describe("Who may give out tailwart's tags (tagOwners in the policy file)."),
  operators: z
    .array(z.string())
    .min(1, { error: "accepts a list with at least one source" })
    .default(["autogroup:admin"])
    .meta({ accepts: "a list of policy sources", examples: [["autogroup:admin"]] })
    .describe("Who may open Stalwart's admin listener on tcp:8080: sources as the policy file spells them."),
  policyFile: z
    .string()
    .default("tailnet.base.hujson")
    .meta({ accepts: "a path, relative to the project", examples: ["tailnet.base.hujson"] })
    .describe(
      "Your own policy file. tailwart adds its entries and leaves every other byte alone. Refused where an entry lets anybody but tags.edge reach a port with PROXY protocol, which * as destination does too.",
    ),
  controlUrl: z
    .url({ error: "accepts an http(s) URL" })
    .optional()
    .meta({ accepts: "an http(s) URL", examples: ["https://controlplane.example.org"] })
    .describe(
      "Coordination server, when it is not Tailscale's own (--login-server). Policy file, login key and node names go over Tailscale's API v2, which it must speak too (tailscale:baseUrl); headscale does not.",
    ),
  env: z
    .record(z.string().regex(/^TS_[A-Z0-9_]+$/, { error: "accepts names that begin with TS_" }), z.string())
    .default({})
    .meta({ accepts: "a map of TS_* variables", examples: [{ TS_NO_LOGS_NO_SUPPORT: "true" }] })
    .describe("Further environment of the sidecar's containerboot. What tailwart sets itself is refused."),
});
