/**
 * The desired state of a Stalwart server: typed, and independent of the API generation that carries
 * it there.
 *
 * keys/ turns it into what the 0.15 line takes (a config file and /api/settings), registry/ into
 * what 0.16 and later take (objects behind /jmap); nothing in here is spelled as one of them spells
 * it.
 */
import { z } from "zod";

import { TAILNET_RANGES } from "../address-ranges.ts";
import { isMagicDnsName } from "../addresses.ts";
import { splitAddress } from "../email-address.ts";
import type { LeftOut } from "../guards.ts";
import { SECRET_DIRECTORY } from "../stalwart/paths.ts";
import { acmeClientSchema, acmeProblems, dnsProviderSchema, type SettingsProblem } from "./acme.ts";
import { dkimSchema } from "./dkim.ts";
import { accountSchema, domainSchema, groupSchema, listSchema, mtaStsSchema } from "./domains.ts";
import { downloadSchema, geoSchema } from "./downloads.ts";
import { autoBanSchema, listenerSchema } from "./network.ts";
import { outboundSchema, relayRouteSchema } from "./outbound.ts";
import { domain, network, plain, secretBelow, secretFile, trustedNetwork } from "./primitives.ts";
import { blobStoreSchema, inMemoryStoreSchema, postgresSchema } from "./stores.ts";

/** Each field by itself; what must hold between them, {@link settingsProblems} says. */
const fields = z.strictObject({
  hostname: domain
    .meta({ examples: ["mail.example.org", "mx.example.org"] })
    .describe("The server's own name: banner, EHLO, Received lines."),
  tailnetDomain: domain
    .meta({ examples: ["tail7b1641.ts.net", "tail1234.ts.net"] })
    .describe(
      "The tailnet's DNS name: what MagicDNS names end in. Stalwart is not told it; it decides which relays may be trusted without a certificate.",
    ),
  listeners: z
    .array(listenerSchema)
    .min(1, { error: "accepts a list with at least one listener" })
    .describe("Ports that the server listens on."),
  proxyTrustedNetworks: z
    .array(trustedNetwork)
    .default([...TAILNET_RANGES])
    .meta({
      accepts: "a list of IP addresses and CIDR ranges",
      examples: [[...TAILNET_RANGES], ["100.64.0.0/10"]],
    })
    .describe("Peers that must send a PROXY header on listeners with proxy: true."),
  allowedIps: z
    .array(network)
    .default([...TAILNET_RANGES])
    .meta({
      accepts: "a list of IP addresses and CIDR ranges",
      examples: [[...TAILNET_RANGES], ["203.0.113.20"]],
    })
    .describe("Addresses that are never banned (lesson 3): the tailnet, and the edge's public address."),
  autoBan: autoBanSchema.prefault({}).describe("How often an address may misbehave before it is banned."),
  relays: z.array(relayRouteSchema).default([]).describe("Routes to smarthosts (lesson 10)."),
  outbound: outboundSchema.prefault({}).describe("Local domains are always delivered locally."),
  spamRules: downloadSchema(
    "Where the spam filter's rules are fetched from.",
    "upstream",
    "https://example.org/spam-rules",
  ),
  webUi: downloadSchema(
    "Where Stalwart's web UI is fetched from, which administers through the admin listener.",
    "none",
    "https://example.org/admin-ui.zip",
  ),
  geo: geoSchema,
  postgres: postgresSchema.describe("The data store."),
  blobStore: blobStoreSchema
    .optional()
    .describe(
      "Where messages lie; without it in Postgres. Set it before the first mail: what lies in another store is not found any more.",
    ),
  inMemoryStore: inMemoryStoreSchema
    .optional()
    .describe(
      "Where locks, rate limits and the like lie; without it in Postgres. While it is away mail is taken and waits in the queue, until up to ten minutes after its return, and requests over HTTP fail (JMAP, DAV, the admin UI).",
    ),
  admin: z
    .strictObject({
      user: plain("a login name")
        .default("admin")
        .meta({ examples: ["admin", "tailwart"] })
        .describe("Its login name."),
      hashFile: secretFile
        .default(`${SECRET_DIRECTORY}admin`)
        .meta(secretBelow("admin", "admin-new"))
        .describe(
          "File with the bcrypt or SHA-512 crypt hash of the admin's password, without a line break.",
        ),
    })
    .prefault({})
    .describe("The account through which tailwart reaches the API."),
  acme: z
    .array(acmeClientSchema)
    .optional()
    .describe("Who orders certificates. Without it Stalwart shows one that it has signed itself."),
  dnsProvider: dnsProviderSchema
    .optional()
    .describe(
      "Where the records of DNS-01 are written, with a secret that is only named by its file (lesson 2).",
    ),
  mtaSts: mtaStsSchema
    .prefault({})
    .describe("The MTA-STS policy of all domains (RFC 8461), which senders read at mta-sts.<domain>."),
  logLevel: z
    .enum(["error", "warn", "info", "debug", "trace"], {
      error: "accepts error, warn, info, debug or trace",
    })
    .default("info")
    .meta({ accepts: "error, warn, info, debug or trace", examples: ["info", "debug"] })
    .describe("Log on stdout."),
  domains: z
    .array(domainSchema)
    .default([])
    .describe(
      "Domains whose mail is taken. In the first one, accounts log in by their names alone. One taken from the list stays.",
    ),
  dkim: z
    .array(dkimSchema)
    .default([])
    .describe("Selectors of DKIM, each with one key for all domains; at most one of each algorithm signs."),
  accounts: z
    .array(accountSchema)
    .default([])
    .describe("Accounts to make sure of. One taken from the list stays, with its mail."),
  groups: z
    .array(groupSchema)
    .default([])
    .describe("Mailboxes that several accounts share. One taken from the list stays, with its mail."),
  lists: z
    .array(listSchema)
    .default([])
    .describe("Mailing lists. One taken from the list goes, since no mail lies in it."),
});

/** What is wrong with a state whose fields are well-formed one by one. */
function settingsProblems(state: z.output<typeof fields>): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  const issue = (path: (string | number)[], message: string, lesson?: number) =>
    problems.push({ path, message, ...(lesson !== undefined && { lesson }) });

  for (const [list, names] of [
    ["listeners", state.listeners.map((l) => l.name)],
    ["relays", state.relays.map((r) => r.name)],
    ["accounts", state.accounts.map((a) => a.name)],
    ["groups", state.groups.map((g) => g.name)],
    ["domains", state.domains.map((d) => d.name)],
  ] as const) {
    names.forEach((n, i) => {
      if (names.indexOf(n) !== i)
        issue([list, i, "name"], `"${n}" is declared twice; accepts distinct names`);
    });
  }
  state.listeners.forEach((l, i) => {
    const other = state.listeners.findIndex((o) => o.port === l.port);
    if (other !== i)
      issue(
        ["listeners", i, "port"],
        `port ${l.port} is taken by "${state.listeners[other]?.name}"; accepts another one`,
      );
  });
  problems.push(...acmeProblems(state));
  if (state.domains.some(({ publishRecords }) => publishRecords.length > 0) && !state.dnsProvider)
    issue(["dnsProvider"], "is needed to publish publishRecords; accepts a type and a secretFile (lesson 2)");
  const addresses = [...state.accounts, ...state.groups].flatMap(({ emails }) => emails);
  const people = state.accounts.map(({ name }) => name);
  state.groups.forEach(({ name, emails, members }, i) => {
    if (people.includes(name))
      issue(["groups", i, "name"], `"${name}" is an account; accepts a name of its own`);
    members.forEach((member, j) => {
      if (!people.includes(member))
        issue(["groups", i, "members", j], `"${member}" is none of accounts; accepts ${people.join(", ")}`);
    });
    emails.forEach((email, j) => {
      if (addresses.indexOf(email) !== addresses.lastIndexOf(email))
        issue(["groups", i, "emails", j], `${email} is taken; accepts an address of its own`);
    });
  });
  const lists = state.lists.map(({ address }) => address);
  state.lists.forEach(({ address, recipients }, i) => {
    if (addresses.includes(address) || lists.indexOf(address) !== i)
      issue(["lists", i, "address"], `${address} is taken; accepts an address of its own`);
    if (!state.domains.some(({ name }) => name === splitAddress(address)[1]))
      issue(["lists", i, "address"], `${splitAddress(address)[1]} is none of domains; add it there`);
    recipients.forEach((recipient, j) => {
      if (lists.includes(recipient))
        issue(
          ["lists", i, "recipients", j],
          `${recipient} is a list; accepts the addresses of its recipients`,
        );
    });
  });
  state.domains.forEach(({ catchAll }, i) => {
    if (catchAll !== undefined && !addresses.includes(catchAll))
      issue(["domains", i, "catchAll"], "is no address of accounts or groups; accepts one that is");
  });
  const routes = ["mx", ...state.relays.map((r) => r.name)];
  if (!routes.includes(state.outbound.route)) {
    issue(
      ["outbound", "route"],
      `"${state.outbound.route}" is no declared route: Stalwart would log "Gateway not found" and silently deliver straight to the MX (lesson 14); accepts ${routes.join(", ")}`,
      14,
    );
  }
  state.relays.forEach((relay, i) => {
    if (relay.tls === "tailnet" && !isMagicDnsName(relay.host, state.tailnetDomain)) {
      issue(
        ["relays", i, "tls"],
        `"tailnet" leaves the certificate of ${relay.host} unverified, and that is no MagicDNS name of ${state.tailnetDomain}; accepts "implicit" or "starttls"`,
      );
    }
  });
  for (const list of ["accounts", "groups"] as const)
    state[list].forEach(({ emails }, i) =>
      emails.forEach((email, j) => {
        const emailDomain = splitAddress(email)[1].toLowerCase();
        if (!state.domains.some(({ name }) => name === emailDomain)) {
          issue([list, i, "emails", j], `${emailDomain} is none of domains; add it there`);
        }
      }),
    );
  return problems;
}

/**
 * The desired state's schema.
 *
 * @param withoutGuards lessons whose guard does not refuse; for labs alone
 */
export const settingsSchemaWithout = (withoutGuards: LeftOut) =>
  fields.superRefine((state, context) => {
    for (const { path, message, lesson } of settingsProblems(state))
      if (lesson === undefined || !(lesson in withoutGuards))
        context.addIssue({ code: "custom", path, message });
  });

export const settingsSchema = settingsSchemaWithout({});

/** The whole desired state, with every default filled in. */
export type StalwartSettings = z.output<typeof settingsSchema>;
/** The desired state as it may be written. */
export type StalwartSettingsInput = z.input<typeof settingsSchema>;
