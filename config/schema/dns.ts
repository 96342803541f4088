import { z } from "zod";

/** What the records for mail say that the rest of the config does not know. */
export const dnsSchema = z
  .strictObject({
    reports: z
      .email({ error: "accepts an e-mail address" })
      .optional()
      .meta({ accepts: "an e-mail address", examples: ["postmaster@example.org"] })
      .describe(
        "Where receivers send their reports (DMARC, TLS-RPT). Without it to postmaster of each domain, where that is an address of accounts, groups or lists.",
      ),
    acmeAccounts: z
      .array(z.url({ protocol: /^https$/, error: "accepts the https URL of an ACME account" }))
      .default([])
      .meta({
        accepts: "a list of https URLs",
        examples: [["https://acme-v02.api.letsencrypt.org/acme/acct/1234567890"]],
      })
      .describe(
        "Accounts at the CAs of tailwart:acme that may order certificates for the mail names: the CAA records then name these and no other. One that is lost must be taken out before its successor can order.",
      ),
  })
  .prefault({})
  .describe("What the domains' records say (`npm run dns`); nothing of it is written anywhere.");
