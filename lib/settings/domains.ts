/** Domains in the desired state: who has mail there, and what the world is told about them. */
import { z } from "zod";

import { namePattern } from "./primitives.ts";

export const accountSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._@-]{0,126}$/, { error: "accepts a login name: a-z, 0-9, . _ @ -" })
    .meta({ accepts: "a login name: a-z, 0-9, . _ @ -", examples: ["alice", "bob"] })
    .describe("Login name."),
  emails: z
    .array(z.email({ error: "accepts an e-mail address" }))
    .min(1, { error: "accepts a list with at least one e-mail address" })
    .meta({
      accepts: "a list of e-mail addresses",
      examples: [["alice@example.org"], ["alice@example.org", "post@example.org"]],
    })
    .describe("Addresses that are delivered to the account, the first being its own."),
});

export const mtaStsSchema = z.strictObject({
  mode: z
    .enum(["enforce", "testing", "disable"], { error: "accepts enforce, testing or disable" })
    .default("testing")
    .meta({ accepts: "enforce, testing or disable", examples: ["testing", "enforce"] })
    .describe("What senders do with mail that cannot go over verified TLS; disable publishes no policy."),
  maxAge: z
    .int({ error: "accepts whole days from 1 to 365" })
    .min(1, { error: "accepts whole days from 1 to 365" })
    .max(365, { error: "accepts whole days from 1 to 365" })
    .default(7)
    .meta({ accepts: "whole days from 1 to 365", examples: [7, 30] })
    .describe("Days for which senders keep the policy."),
  mx: z
    .array(namePattern)
    .default([])
    .meta({
      accepts: "a list of domains, or *. and a domain",
      examples: [["mail.example.org"], ["*.example.org"]],
    })
    .describe("Hosts that take the domains' mail. Empty: the names that Stalwart has certificates for."),
});

/** Records that Stalwart may publish; those that it would get wrong are not among them. */
export const PUBLISHABLE = [
  ...(["dkim", "dmarc", "tlsRpt", "mtaSts", "srv"] as const),
  ...(["autoConfig", "autoConfigLegacy", "autoDiscover", "caa", "tlsa"] as const),
];

/** common/src/network/dns/records.rs: MX names the server itself, SPF is `v=spf1 mx -all`. */
const WRONG: Readonly<Record<string, string>> = {
  mx: "is what Stalwart would point at its own host, and mail arrives at the edge",
  spf: "is what Stalwart would limit to its own MX, and mail leaves through the relay",
};

export const publishRecordsSchema = z
  .array(
    z.enum(PUBLISHABLE, {
      error: ({ input }) => {
        const why = WRONG[String(input)];
        return `${why ? `${why}; ` : ""}accepts ${PUBLISHABLE.join(", ")}`;
      },
    }),
  )
  .default([])
  .meta({ accepts: `a list of ${PUBLISHABLE.join(", ")}`, examples: [["dkim"], ["dkim", "dmarc"]] })
  .describe(
    "What Stalwart may publish in the domains' DNS through dnsProvider: nothing unless named. mx and spf are refused, since behind an " +
      "edge and a relay its own would be wrong; caa would bar every other ACME client, the edge's as well, from the domains' names.",
  );
