/** Domains in the desired state: who has mail there, and what the world is told about them. */
import { z } from "zod";

import { domain, namePattern } from "./primitives.ts";

export const accountSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._@-]{0,126}$/, { error: "accepts a login name: a-z, 0-9, . _ @ -" })
    .meta({ accepts: "a login name: a-z, 0-9, . _ @ -", examples: ["alice", "bob"] })
    .describe(
      "Login name on the 0.15 line. From 0.16 on the login is the first address, or its part before the @ in the first domain.",
    ),
  emails: z
    .array(z.email({ error: "accepts an e-mail address" }))
    .min(1, { error: "accepts a list with at least one e-mail address" })
    .meta({
      accepts: "a list of e-mail addresses",
      examples: [["alice@example.org", "post@example.org"], ["alice@example.org"]],
    })
    .describe("Addresses that are delivered to the account, the first being its own."),
  quota: z
    .string({ error: "accepts a size, such as 10G" })
    .regex(/^[1-9]\d{0,5}[MGT]$/, { error: "accepts a size: a whole number and M, G or T, such as 10G" })
    .optional()
    .meta({ accepts: "a size in M, G or T, of 1024 each", examples: ["10G", "500M"] })
    .describe("What its mail may take. Without it there is no limit, or the one that was set by hand."),
});

/** Bytes of a size as the config spells it. @example bytesOf("10G") === 10737418240 */
export const bytesOf = (size: string): number =>
  Number.parseInt(size, 10) * 1024 ** ("MGT".indexOf(size.at(-1) ?? "") + 2);

export const groupSchema = z.strictObject({
  name: accountSchema.shape.name
    .meta({ examples: ["support", "help"] })
    .describe("Its name in the state, as an account's."),
  emails: accountSchema.shape.emails
    .meta({ examples: [["support@example.org", "help@example.org"], ["support@example.org"]] })
    .describe("Addresses that are delivered to it, the first being its own."),
  members: z
    .array(accountSchema.shape.name)
    .min(1, { error: "accepts a list with at least one account's name" })
    .meta({ accepts: "a list of accounts' names", examples: [["alice"], ["alice", "carol"]] })
    .describe("Accounts that see its mailbox, as a shared folder."),
  quota: accountSchema.shape.quota,
});

/** An address as the server keeps it: in lower case (utils/src/lib.rs, `sanitize_email`). */
const lowerCase = z
  .email({ error: "accepts an e-mail address" })
  .regex(/^[^A-Z]*$/, { error: "accepts an e-mail address in lower case" });

export const listSchema = z.strictObject({
  address: lowerCase
    .meta({ accepts: "an e-mail address", examples: ["team@example.org", "info@example.org"] })
    .describe("The list's own address."),
  recipients: z
    .array(lowerCase)
    .min(1, { error: "accepts a list with at least one e-mail address" })
    .meta({
      accepts: "a list of e-mail addresses",
      examples: [["alice@example.org", "carol@example.net"], ["alice@example.org"]],
    })
    .describe("Who gets what is sent to it: addresses here or anywhere, and no list."),
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
    .describe(
      "Hosts that take the domains' mail, as their MX records name them. Empty: the server's own host name.",
    ),
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

export const domainSchema = z.strictObject({
  name: domain.meta({ examples: ["example.org", "example.net"] }).describe("The domain."),
  catchAll: z
    .email({ error: "accepts an address of one of accounts" })
    .optional()
    .meta({
      accepts: "an address of one of accounts",
      examples: ["alice@example.org", "post@example.org"],
    })
    .describe("Where mail goes that is for nobody in the domain. Without it, it is refused."),
  publishRecords: publishRecordsSchema,
});
