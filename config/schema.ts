import { z } from "zod";

import { DEFAULT_SERVICES, MAIL_SERVICES } from "../lib/mail-services.ts";
import { LINES } from "../lib/stalwart/release.ts";
import { acmeSchema, dnsProviderSchema } from "./schema/certificates.ts";
import { dkimSchema } from "./schema/dkim.ts";
import { dnsSchema } from "./schema/dns.ts";
import { edgesSchema } from "./schema/edges.ts";
import { dnsName, dockerHost, hostName, pinnedImage, port } from "./schema/primitives.ts";
import { withoutGuardsSchema } from "./schema/guards.ts";
import { accountsSchema, domainsSchema, groupsSchema, listsSchema } from "./schema/mailboxes.ts";
import { registriesSchema } from "./schema/registries.ts";
import { relaySchema } from "./schema/relay.ts";
import { serverSettingsSchema } from "./schema/server-settings.ts";
import { tailnetSchema } from "./schema/tailnet.ts";

const EXAMPLE_DIGEST = `@sha256:${"0123456789abcdef".repeat(4)}`;

/** A service that Stalwart can offer: one listener in Stalwart and one port of the edge. */
export type Service = keyof typeof MAIL_SERVICES;

/** Every service. */
export const SERVICES = Object.keys(MAIL_SERVICES) as [Service, ...Service[]];

/**
 * The stack's whole config, as one object: the keys are those of
 * `pulumi config set tailwart:<key>`.
 */
export const configSchema = z.strictObject({
  mailHost: dnsName("mail.example.org").describe(
    "The server's own name, which MX records and mail programs use; it leads to every edge.",
  ),
  domains: domainsSchema,
  accounts: accountsSchema,
  groups: groupsSchema,
  lists: listsSchema,
  services: z
    .array(z.enum(SERVICES, { error: `accepts ${SERVICES.join(", ")}` }))
    // Gate, watch and checks look at Stalwart's greeting on port 25.
    .refine((services) => services.includes("smtp"), { error: "lacks smtp; accepts a list with smtp in it" })
    .default([...DEFAULT_SERVICES])
    .meta({
      accepts: `a list with smtp, out of ${SERVICES.join(", ")}`,
      examples: [["smtp", "submissions", "imaps"]],
    })
    .describe(
      "Which services are offered to the internet: smtp 25, submissions 465, submission 587, imap 143, imaps 993, pop3s 995, managesieve 4190, https 443.",
    ),
  tailnet: tailnetSchema.describe("The tailnet that joins edges, Stalwart, Postgres and relay."),
  kvm: z
    .strictObject({
      dockerHost: dockerHost.describe("Docker daemon of the KVM VPS."),
      startUnit: z
        .enum(["systemd", "none"], { error: 'accepts "systemd" or "none"' })
        .default("systemd")
        .meta({ accepts: '"systemd" or "none"', examples: ["systemd"] })
        .describe(
          "What starts the containers again that Docker has given up, at boot or when an anchor and one that has joined it are killed together: a systemd unit, installed over ssh, or nothing.",
        ),
    })
    .describe("The KVM VPS on which Stalwart runs."),
  edges: edgesSchema,
  images: z
    .strictObject({
      anchor: pinnedImage(`busybox:1.37.0${EXAMPLE_DIGEST}`).describe(
        "Anchor, and the container that carries Stalwart's files: any image with sleep and without a USER. A new one replaces everything on the KVM, so change it seldom.",
      ),
      sidecar: pinnedImage(`tailscale/tailscale:v1.102.5${EXAMPLE_DIGEST}`).describe(
        "Sidecar: an image with tailscaled, containerboot, sh, wget, nc, getent and iptables.",
      ),
      stalwart: pinnedImage(`stalwartlabs/stalwart:v0.16.18${EXAMPLE_DIGEST}`).describe(
        "Stalwart, with bash and coreutils.",
      ),
      edge: pinnedImage(`registry.example.org/caddy-l4:2.11.9${EXAMPLE_DIGEST}`).describe(
        "Caddy with layer4, with sh and nc: images/edge/Dockerfile makes one.",
      ),
    })
    .describe("Container images, each pinned by digest (decision 13)."),
  registries: registriesSchema,
  stalwart: z
    .strictObject({
      line: z
        .enum(LINES, { error: 'accepts "0.15", "0.16" or "1"' })
        .optional()
        .meta({ accepts: '"0.15", "0.16" or "1"', examples: ["0.15"] })
        .describe(
          "Line of Stalwart that the image holds, needed where its tag names no version. 0.15 keeps its settings as keys, 0.16 and 1 as objects of a registry; a data store of one line cannot be opened by another.",
        ),
      env: z
        .record(
          z.string().regex(/^[A-Z][A-Z0-9_]*$/, { error: "accepts names of A-Z, 0-9 and underscores" }),
          z.string(),
        )
        .default({})
        .meta({ accepts: "a map of variables", examples: [{ SMTP_GREETING: "Example mail" }] })
        .describe(
          "Further environment of Stalwart's container, for what a setting reads from there. No secret: Docker shows it to whoever may ask, and the state holds it in clear. What the entrypoint, the server itself and bash go by is refused.",
        ),
    })
    .prefault({})
    .describe("How Stalwart is run."),
  postgres: z
    .strictObject({
      host: hostName("the-record-prod").describe(
        "Postgres' machine: by its name on the tailnet, or by another host name with postgres.tls.",
      ),
      port: port(5432).describe("Port that Postgres listens on."),
      tls: z
        .boolean({ error: "accepts true or false" })
        .default(false)
        .meta({ accepts: "true or false", examples: [true] })
        .describe(
          "Encrypt the connection and verify the server's certificate; required where host is no machine of the tailnet, whose connections WireGuard encrypts. 0.15 knows the public CAs alone, later lines those of the image: a private CA's certificate is refused. Stalwart goes on in clear where a server answers that it has no TLS, so its container's gate asks first and starts it only at a yes; who can change packets on the way can still answer yes to the one and no to the other, which the tailnet rules out.",
        ),
      database: z
        .string()
        .min(1)
        .default("stalwart")
        .meta({ accepts: "a database name", examples: ["stalwart"] })
        .describe("Database that Stalwart keeps everything in."),
      user: z
        .string()
        .min(1)
        .default("stalwart")
        .meta({ accepts: "a role's name", examples: ["stalwart"] })
        .describe("Role that Stalwart logs in with; its password is the secret tailwart:postgresPassword."),
    })
    .describe("Stalwart's data store."),
  relay: relaySchema.describe("The smarthost that sends what leaves this domain (lesson 10)."),
  settings: serverSettingsSchema,
  acme: acmeSchema,
  dnsProvider: dnsProviderSchema,
  dkim: dkimSchema,
  dns: dnsSchema,
  withoutGuards: withoutGuardsSchema,
});

/**
 * The parsed config without its secrets. Plain values, so that policies can judge them at preview.
 */
export type Config = z.infer<typeof configSchema>;
