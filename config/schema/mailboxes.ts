/** Whose mail the stack takes: domains and accounts in the config. */
import { z } from "zod";

import {
  accountSchema as account,
  domainSchema as domain,
  listSchema as list,
} from "../../lib/desired-state/domains.ts";
import { dnsName } from "./primitives.ts";

const address = z
  .string({ error: "accepts an address" })
  .regex(/^[a-z0-9][a-z0-9._-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, {
    error: "accepts an address: a-z, 0-9, dots, dashes and underscores, an @, and one of domains",
  })
  .meta({ accepts: "an address in one of domains", examples: ["alice@example.org"] });

const aliases = (example: string) =>
  z
    .array(address)
    .default([])
    .meta({ accepts: "a list of addresses in domains", examples: [[example]] })
    .describe("More addresses whose mail it gets.");

export const domainsSchema = z
  .array(
    z.strictObject({
      name: dnsName("example.org").describe("The domain."),
      hosts: z
        .array(dnsName("mail.example.net"))
        .default([])
        .meta({ accepts: "a list of DNS names", examples: [["mail.example.net"]] })
        .describe(
          "Further names that this domain's MX records and mail programs use; they lead to every edge, too, are passed on to Stalwart on :443, and stand in the MTA-STS policy.",
        ),
      catchAll: domain.shape.catchAll,
      publishRecords: domain.shape.publishRecords,
      dmarc: z
        .enum(["none", "quarantine", "reject"], { error: "accepts none, quarantine or reject" })
        .default("none")
        .meta({ accepts: "none, quarantine or reject", examples: ["none", "quarantine"] })
        .describe(
          "What its DMARC record asks of receivers for mail that is not proved to be the domain's (`npm run dns`). none only reports; more once the reports show that all of your own mail passes.",
        ),
    }),
  )
  .min(1, { error: "accepts a list with at least one domain" })
  .meta({ accepts: "a list of domains", examples: [[{ name: "example.org" }]] })
  .describe(
    "The domains whose mail this stack takes. In the first one, accounts log in by what is before the @, too. One that is taken from the list stays on the server, with its mail.",
  );

export const accountsSchema = z
  .array(
    z.strictObject({
      address: address.describe("The account's own address, by which its owner logs in."),
      aliases: aliases("post@example.org"),
      quota: account.shape.quota,
    }),
  )
  .default([])
  .meta({ accepts: "a list of accounts", examples: [[{ address: "alice@example.org" }]] })
  .describe(
    "Mailboxes to make sure of, each with a generated password that lies encrypted in the state. One that is taken from the list is left in place with its mail.",
  );

export const groupsSchema = z
  .array(
    z.strictObject({
      address: address.describe("The group's own address."),
      aliases: aliases("help@example.org"),
      members: z
        .array(address)
        .min(1, { error: "accepts a list with at least one account's own address" })
        .meta({ accepts: "a list of accounts' own addresses", examples: [["alice@example.org"]] })
        .describe("Accounts that see its mailbox, as a shared folder. One that is added by hand stays."),
      quota: account.shape.quota,
    }),
  )
  .default([])
  .meta({
    accepts: "a list of groups",
    examples: [[{ address: "support@example.org", members: ["alice@example.org"] }]],
  })
  .describe(
    "Mailboxes that several accounts share. One that is taken from the list is left in place with its mail.",
  );

export const listsSchema = z
  .array(
    z.strictObject({
      address: address.describe("The list's own address."),
      recipients: list.shape.recipients,
    }),
  )
  .default([])
  .meta({
    accepts: "a list of mailing lists",
    examples: [[{ address: "team@example.org", recipients: ["alice@example.org", "carol@example.net"] }]],
  })
  .describe(
    "Addresses whose mail goes to several others. No mail lies in one, so one that is taken from the list goes.",
  );
