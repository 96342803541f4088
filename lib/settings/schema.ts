/**
 * The desired state of a Stalwart server: typed, and independent of the API generation that carries it there.
 *
 * keys.ts turns it into the keys of the 0.15 line ("settings": a config file and /api/settings). A second
 * generation ("registry", 0.16 and later) gets its own translation; nothing in here is spelled as one of them spells it.
 */
import { z } from "zod";

import { classifyHost, isMagicDnsName } from "../addresses.ts";
import { SECRET_DIRECTORY } from "../stalwart/paths.ts";
import { acmeClientSchema, acmeProblems, dnsProviderSchema } from "./acme.ts";
import {
  domain,
  hostName,
  name,
  network,
  plain,
  port,
  rate,
  relayHost,
  relayTls,
  secretFile,
  trustedNetwork,
} from "./primitives.ts";

/** Ranges of every tailnet: Tailscale's CGNAT range and its ULA prefix. They are ranges, not a node's address. */
export const TAILNET_RANGES = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"] as const;

export const listenerSchema = z.strictObject({
  name: name("a listener's name").describe("Stalwart's id of the listener; it appears in the log."),
  protocol: z
    .enum(["smtp", "lmtp", "imap", "pop3", "managesieve", "http"], {
      error: "accepts smtp, lmtp, imap, pop3, managesieve or http",
    })
    .describe("What is spoken on the port."),
  port,
  bind: z
    .string()
    .refine((text) => ["ipv4", "ipv6"].includes(classifyHost(text)), { error: "accepts an IP address" })
    .default("0.0.0.0")
    .describe(
      "Address to listen on. IPv4 by default: where the kernel has no IPv6, [::] yields no listener at all (stalwart#320).",
    ),
  implicitTls: z
    .boolean()
    .default(false)
    .describe("TLS from the first byte (RFC 8314), instead of STARTTLS."),
  proxy: z
    .boolean()
    .default(true)
    .describe(
      "Demand a PROXY header of peers in proxyTrustedNetworks. Off for the admin listener: decision 8 of the design, lesson 3.",
    ),
});

export const relayRouteSchema = z.strictObject({
  name: name("a route's name").refine((text) => text !== "local" && text !== "mx", {
    error: '"local" and "mx" are Stalwart\'s own routes; accepts another name, such as "smarthost"',
  }),
  host: relayHost,
  port: port.default(587),
  tls: relayTls,
  auth: z
    .strictObject({
      username: plain("a login name").describe("Login at the smarthost."),
      secretFile: secretFile.describe(
        "File in the container with the password, and nothing else (no line break).",
      ),
    })
    .optional()
    .describe("Credentials. Without it nothing is presented."),
});

export const accountSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._@-]{0,126}$/, { error: "accepts a login name: a-z, 0-9, . _ @ -" })
    .describe("Login name."),
  emails: z
    .array(z.email({ error: "accepts an e-mail address" }))
    .min(1, { error: "accepts a list with at least one e-mail address" })
    .describe("Addresses that are delivered to the account, the first being its own."),
});

export const settingsSchema = z
  .strictObject({
    hostname: domain.describe("The server's own name: banner, EHLO, Received lines."),
    tailnetDomain: domain.describe("The tailnet's DNS name: what MagicDNS names end in."),
    listeners: z.array(listenerSchema).min(1, { error: "accepts a list with at least one listener" }),
    proxyTrustedNetworks: z
      .array(trustedNetwork)
      .default([...TAILNET_RANGES])
      .describe("Peers that must send a PROXY header on listeners with proxy: true."),
    allowedIps: z
      .array(network)
      .default([...TAILNET_RANGES])
      .describe("Addresses that are never banned (lesson 3): the tailnet, and the edge's public address."),
    autoBan: z
      .strictObject({
        auth: rate.default("100/1d").describe("Failed logins."),
        abuse: rate.default("35/1d").describe("Recipients that do not exist."),
        loiter: rate.default("150/1d").describe("Connections that do nothing."),
        scan: rate.default("30/1d").describe("Port scans and requests for a scanner's paths."),
      })
      .prefault({})
      .describe("How often an address may misbehave before it is banned."),
    relays: z.array(relayRouteSchema).default([]).describe("Routes to smarthosts (lesson 10)."),
    outbound: z
      .strictObject({
        route: z
          .string()
          .default("mx")
          .describe('Route for what is not local: the name of one of relays, or "mx" for direct delivery.'),
        connectTimeout: z
          .int()
          .min(1)
          .max(600)
          .default(30)
          .describe("Seconds to wait for a connection, per address. Stalwart's own default is 300."),
      })
      .prefault({})
      .describe("Local domains are always delivered locally."),
    spamRules: z
      .union([z.literal("none"), z.url({ protocol: /^https$/, error: 'accepts "none" or an https URL' })])
      .default("none")
      .describe(
        'Where the spam filter\'s rules are fetched from at first start; "none" takes a file with no rules, so that nothing needs the internet.',
      ),
    postgres: z.strictObject({
      host: hostName.describe("Postgres' machine, by its MagicDNS name."),
      port: port.default(5432),
      database: plain("a database name").default("stalwart"),
      user: plain("a role's name").default("stalwart"),
      passwordFile: secretFile.default(`${SECRET_DIRECTORY}postgres`),
      maxConnections: z.int().min(2).max(200).default(10).describe("Size of Stalwart's connection pool."),
    }),
    admin: z
      .strictObject({
        user: plain("a login name").default("admin"),
        hashFile: secretFile
          .default(`${SECRET_DIRECTORY}admin`)
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
    logLevel: z.enum(["error", "warn", "info", "debug", "trace"]).default("info").describe("Log on stdout."),
    domains: z
      .array(domain)
      .default([])
      .describe("Domains whose mail is taken. One taken from the list stays."),
    accounts: z
      .array(accountSchema)
      .default([])
      .describe("Accounts to make sure of. One taken from the list stays, with its mail."),
  })
  .superRefine((state, context) => {
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });

    for (const [list, names] of [
      ["listeners", state.listeners.map((l) => l.name)],
      ["relays", state.relays.map((r) => r.name)],
      ["accounts", state.accounts.map((a) => a.name)],
    ] as const) {
      names.forEach((n, i) => {
        if (names.indexOf(n) !== i)
          issue([list, i, "name"], `"${n}" is declared twice; accepts distinct names`);
      });
    }
    state.listeners.forEach((l, i) => {
      const other = state.listeners.findIndex((o) => o.port === l.port);
      if (other !== i)
        issue(["listeners", i, "port"], `port ${l.port} is taken by "${state.listeners[other]?.name}"`);
    });
    for (const { path, message } of acmeProblems(state)) issue(path, message);
    const routes = ["mx", ...state.relays.map((r) => r.name)];
    if (!routes.includes(state.outbound.route)) {
      issue(
        ["outbound", "route"],
        `"${state.outbound.route}" is no declared route: Stalwart would log "Gateway not found" and silently deliver straight to the MX (lesson 14); accepts ${routes.join(", ")}`,
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
    state.accounts.forEach((account, i) =>
      account.emails.forEach((email, j) => {
        const emailDomain = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
        if (!state.domains.includes(emailDomain)) {
          issue(["accounts", i, "emails", j], `${emailDomain} is none of domains; add it there`);
        }
      }),
    );
  });

/** The whole desired state, with every default filled in. */
export type StalwartSettings = z.output<typeof settingsSchema>;
/** The desired state as it may be written. */
export type StalwartSettingsInput = z.input<typeof settingsSchema>;
