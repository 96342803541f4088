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
    write: z
      .boolean({ error: "accepts true or false" })
      .default(false)
      .meta({ accepts: "true or false", examples: [true] })
      .describe(
        "Write the records with each deploy, by tailwart:dnsProvider (rfc2136, spaceship, cloudflare or desec) from the machine that runs it, and not by hand. What is there is saved first, and what somebody else has set stays: where it is in the way the deploy ends before it writes.",
      ),
    adopt: z
      .array(
        z.string().regex(/^[a-z0-9._-]+ (A|AAAA|MX|TXT|SRV|CAA)$/, { error: "accepts a name and a type" }),
      )
      .default([])
      .meta({ accepts: "a list of names, each with a type", examples: [["example.org MX"]] })
      .describe(
        "Records that somebody else has set and a deploy may replace, as its refusal names them. Of a domain's TXT records only SPF ever goes.",
      ),
    removeOnDestroy: z
      .boolean({ error: "accepts true or false" })
      .default(false)
      .meta({ accepts: "true or false", examples: [true] })
      .describe(
        "Take MX records, those of the hosts that these name, and DKIM records away with the stack, too; without it they stay for mail that is under way.",
      ),
    servers: z
      .array(z.string().regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, { error: "accepts a host, or host:port" }))
      .default([])
      .meta({ accepts: "a list of hosts, each with or without a port", examples: [["192.0.2.53"]] })
      .describe(
        "Servers that are asked whether a DKIM key is published, in the place of those that the domains' NS records name. For a zone whose own servers this machine cannot reach.",
      ),
  })
  .prefault({})
  .describe("What the domains' records say (`npm run dns`), and who is asked for them.");
