/** Whose mail the stack takes: domains and accounts in the config. */
import { z } from "zod";

import { splitAddress } from "../lib/email-address.ts";
import {
  accountSchema as account,
  domainSchema as domain,
  listSchema as list,
} from "../lib/desired-state/domains.ts";
import { keyPath, type Problem } from "./key-path.ts";
import { dnsName } from "./primitives.ts";
import type { Config } from "./schema.ts";

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
          "Further names that this domain's MX records and mail programs use; they lead to the edge, too, are passed on to Stalwart on :443, and stand in the MTA-STS policy.",
        ),
      catchAll: domain.shape.catchAll,
      publishRecords: domain.shape.publishRecords,
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

/** Old keys → what is written now. */
export const MOVED: Readonly<Record<string, string>> = {
  "tailwart:mailDomain": "is an entry of domains now; accepts tailwart:domains: [{ name: example.org }]",
  "tailwart:settings.publishRecords":
    "is each domain's own now; accepts tailwart:domains: [{ name: example.org, publishRecords: [dkim] }]",
  "tailwart:settings.adminUi":
    "is webUi now, and off unless named; accepts tailwart:settings.webUi: upstream",
  "tailwart:accounts[].name": "is the whole address now; accepts address: alice@example.org",
};

/** What is wrong between domains and accounts that are well-formed each. */
export function mailboxProblems({
  domains,
  accounts,
  groups,
  lists,
}: Pick<Config, "domains" | "accounts" | "groups" | "lists">): Problem[] {
  const known = domains.map(({ name }) => name.toLowerCase());
  const problems: Problem[] = [];
  known.forEach((name, i) => {
    if (known.indexOf(name) !== i)
      problems.push({
        path: keyPath(["domains", i, "name"]),
        message: `is domains[${known.indexOf(name)}] already; accepts each domain once`,
      });
  });
  const taken = new Map<string, string>();
  const take = (each: string, path: string) => {
    const first = taken.get(each);
    if (first !== undefined)
      problems.push({ path, message: `is ${first} already; accepts each address once` });
    else if (!known.includes(splitAddress(each)[1]))
      problems.push({
        path,
        message: `is in none of domains; accepts an address in ${known.join(", ")}`,
        example: `alice@${known[0]}`,
      });
    taken.set(each, path);
  };
  for (const [key, mailboxes] of Object.entries({ accounts, groups }))
    mailboxes.forEach(({ address: own, aliases }, i) => {
      take(own, keyPath([key, i, "address"]));
      aliases.forEach((alias, j) => take(alias, keyPath([key, i, "aliases", j])));
    });
  const mailboxes = new Set(taken.keys());
  groups.forEach(({ members }, i) =>
    members.forEach((member, j) => {
      if (!accounts.some(({ address: own }) => own === member))
        problems.push({
          path: keyPath(["groups", i, "members", j]),
          message: "is no account's own address; accepts the address of one of accounts",
        });
    }),
  );
  lists.forEach(({ address: own }, i) => take(own, keyPath(["lists", i, "address"])));
  lists.forEach(({ recipients }, i) =>
    recipients.forEach((recipient, j) => {
      if (lists.some(({ address: own }) => own === recipient))
        problems.push({
          path: keyPath(["lists", i, "recipients", j]),
          message: "is a list; accepts the addresses of its recipients",
        });
    }),
  );
  domains.forEach(({ catchAll }, i) => {
    if (catchAll !== undefined && !mailboxes.has(catchAll))
      problems.push({
        path: keyPath(["domains", i, "catchAll"]),
        message: "is no address of accounts or groups; accepts one that is",
      });
  });
  return problems;
}

/**
 * What an account is called by, in the state and, on the 0.15 line, in its login: in the first domain what is before the @,
 * as it was when there was one domain.
 *
 * @example accountName("alice@example.org", "example.org") === "alice"
 */
export const accountName = (own: string, firstDomain: string): string =>
  own.endsWith(`@${firstDomain.toLowerCase()}`) ? splitAddress(own)[0] : own;
