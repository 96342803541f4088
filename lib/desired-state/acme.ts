/**
 * Certificates in the desired state: who orders them, for which names, and which DNS provider
 * proves the domain.
 */
import { isIP } from "node:net";
import { z } from "zod";

import { classifyHost } from "../addresses.ts";
import { LETS_ENCRYPT } from "../acme-cas.ts";
import { SECRET_DIRECTORY } from "../stalwart/paths.ts";
import { name, namePattern, plain, port, secretBelow } from "./primitives.ts";

/** How a CA is shown that the names are ours. */
export const CHALLENGES = ["dns-01", "dns-persist-01", "tls-alpn-01", "http-01"] as const;
const PROVES_WILDCARDS: readonly string[] = ["dns-01", "dns-persist-01"];

/** A blank or masked secret is how lesson 2 began, and neither is a path. */
const dnsSecretFile = z
  .string({ error: `accepts a path below ${SECRET_DIRECTORY}` })
  .regex(/^\/etc\/stalwart\/secrets\/[A-Za-z0-9._-]+$/, {
    error: `accepts the path of a file below ${SECRET_DIRECTORY}, and no secret itself: blank or **** least of all (lesson 2)`,
  })
  .meta(secretBelow("dns", "dns-new"));

export const acmeClientSchema = z.strictObject({
  id: name("an ACME client's id")
    .meta({ examples: ["letsencrypt", "zerossl"] })
    .describe(
      "Stalwart's id of the client. The 0.15 line keeps certificate and account key under it; later ones know a CA by its directory.",
    ),
  directory: z
    .url({ protocol: /^https$/, error: "accepts the https URL of a CA's ACME directory" })
    .default(LETS_ENCRYPT)
    .meta({
      accepts: "an https URL",
      examples: [LETS_ENCRYPT, "https://acme-staging-v02.api.letsencrypt.org/directory"],
    })
    .describe("The CA."),
  contact: z
    .array(z.email({ error: "accepts an e-mail address" }))
    .min(1, { error: "accepts a list with at least one e-mail address" })
    .meta({
      accepts: "a list of e-mail addresses",
      examples: [["postmaster@example.org"], ["root@example.org"]],
    })
    .describe("Whom the CA writes to."),
  challenge: z
    .enum(CHALLENGES, { error: `accepts ${CHALLENGES.join(", ")}` })
    .meta({ accepts: CHALLENGES.join(", "), examples: ["dns-01", "tls-alpn-01"] })
    .describe("dns-01 and dns-persist-01 prove wildcards too; the 0.15 line has no dns-persist-01."),
  names: z
    .array(namePattern)
    .min(1, {
      error:
        "accepts a list with at least one name: an empty one means a wildcard to one generation and nothing to the other (lesson 4)",
    })
    .meta({
      accepts: "a list of domains, or *. and a domain",
      examples: [["mail.example.org"], ["*.example.org"]],
    })
    .describe("What the certificate is for; one with a wildcard covers every name of a domain."),
  default: z
    .boolean({ error: "accepts true or false" })
    .default(false)
    .meta({ accepts: "true or false", examples: [false, true] })
    .describe("Show this certificate to clients that name no server."),
  renewBefore: z
    .int({ error: "accepts whole days from 1 to 89" })
    .min(1, { error: "accepts whole days from 1 to 89" })
    .max(89, { error: "accepts whole days from 1 to 89" })
    .default(30)
    .meta({ accepts: "whole days from 1 to 89", examples: [30, 45] })
    .describe(
      "Days before its end at which a certificate is renewed; from 0.16 on 18, 22, 30 or 45, which are fractions of 90.",
    ),
});

const secretFile = dnsSecretFile.describe("File in the container with the provider's API key or token.");

/** A DNS provider; which of them a generation offers, its translation says. */
export const dnsProviderSchema = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      type: z.literal("rfc2136"),
      host: z
        .string({ error: "accepts an IP address" })
        .refine((text) => isIP(text) !== 0 && !classifyHost(text).startsWith("tailnet"), {
          error: "accepts an IP address that is no tailnet node's: Stalwart looks up no name here (lesson 6)",
        })
        .meta({ accepts: "an IP address", examples: ["192.0.2.53", "192.0.2.54"] })
        .describe("The DNS server that takes updates."),
      port: port
        .default(53)
        .meta({ examples: [53, 5353] })
        .describe("Its port."),
      protocol: z
        .enum(["udp", "tcp"], { error: "accepts udp or tcp" })
        .default("udp")
        .meta({ accepts: "udp or tcp", examples: ["udp", "tcp"] })
        .describe("How updates travel."),
      keyName: plain("a TSIG key's name")
        .meta({ examples: ["stalwart.", "mail."] })
        .describe("Name of the TSIG key that signs them."),
      algorithm: z
        .enum(["hmac-sha256", "hmac-sha384", "hmac-sha512"], {
          error: "accepts hmac-sha256, hmac-sha384 or hmac-sha512",
        })
        .default("hmac-sha256")
        .meta({
          accepts: "hmac-sha256, hmac-sha384 or hmac-sha512",
          examples: ["hmac-sha256", "hmac-sha512"],
        })
        .describe("What it signs with."),
      secretFile: dnsSecretFile.describe("File in the container with the TSIG key in base64."),
    }),
    z.strictObject({
      type: z.literal("cloudflare"),
      email: z
        .email({ error: "accepts an e-mail address" })
        .optional()
        .meta({ accepts: "an e-mail address", examples: ["dns@example.org", "root@example.org"] })
        .describe("Account of a global API key. Without it the secret is a token."),
      secretFile,
    }),
    z.strictObject({ type: z.literal("digitalocean"), secretFile }),
    z.strictObject({ type: z.literal("desec"), secretFile }),
    z.strictObject({
      type: z.literal("ovh"),
      endpoint: z
        .enum(["ovh-eu", "ovh-ca", "kimsufi-eu", "kimsufi-ca", "soyoustart-eu", "soyoustart-ca"], {
          error: "accepts ovh-eu, ovh-ca, kimsufi-eu, kimsufi-ca, soyoustart-eu or soyoustart-ca",
        })
        .default("ovh-eu")
        .meta({
          accepts: "ovh-eu, ovh-ca, kimsufi-eu, kimsufi-ca, soyoustart-eu or soyoustart-ca",
          examples: ["ovh-eu", "ovh-ca"],
        })
        .describe("Which OVH."),
      applicationKey: plain("an application key")
        .meta({ examples: ["7kbG7Bk7S9Nt7ZSV", "EXEgWIz07P0HYwtQ"] })
        .describe("Names the application; it is no secret."),
      secretFile: dnsSecretFile.describe("File in the container with the application's secret."),
      consumerKeyFile: dnsSecretFile
        .meta(secretBelow("dns-consumer", "dns-consumer-new"))
        .describe("File in the container with the consumer key."),
    }),
    z.strictObject({
      type: z.literal("spaceship"),
      apiKey: plain("an API key")
        .meta({ examples: ["key-1", "key-2"] })
        .describe("Names the key; Stalwart shows it to every administrator."),
      secretFile,
    }),
  ],
  { error: "accepts rfc2136, cloudflare, digitalocean, desec, ovh or spaceship as type" },
);

export type AcmeClient = z.output<typeof acmeClientSchema>;
export type DnsProvider = z.output<typeof dnsProviderSchema>;

/** The part of the desired state that {@link acmeProblems} looks at. */
export interface Certificates {
  readonly acme?: readonly AcmeClient[] | undefined;
  readonly dnsProvider?: DnsProvider | undefined;
}

/** Something wrong between fields. */
export interface SettingsProblem {
  path: (string | number)[];
  message: string;
  /** The lesson whose guard refuses it. */
  lesson?: number;
}

/** What is wrong with certificates that are well-formed one by one. */
export function acmeProblems({ acme = [], dnsProvider }: Certificates): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  acme.forEach((client, i) => {
    if (acme.findIndex((other) => other.id === client.id) !== i)
      problems.push({
        path: ["acme", i, "id"],
        message: `"${client.id}" is declared twice; accepts distinct ids`,
      });
    if (client.default && acme.findIndex((other) => other.default) !== i)
      problems.push({
        path: ["acme", i, "default"],
        message: "another client is the default; accepts true for one",
      });
    client.names.forEach((certificate, j) => {
      const path = ["acme", i, "names", j];
      if (certificate.startsWith("*.") && !PROVES_WILDCARDS.includes(client.challenge))
        problems.push({
          path,
          message: `is a wildcard, which no CA proves with ${client.challenge} (lesson 4); accepts it with ${PROVES_WILDCARDS.join(" or ")}`,
          lesson: 4,
        });
      const owner = acme.findIndex((other) => other.names.includes(certificate));
      if (owner !== i || client.names.indexOf(certificate) !== j)
        problems.push({
          path,
          message: `is ordered by "${acme[owner]?.id}" already, and orders are rationed (lesson 7)`,
          lesson: 7,
        });
    });
    if (client.challenge === "dns-01" && !dnsProvider)
      problems.push({
        path: ["dnsProvider"],
        message: `is needed by "${client.id}", whose challenge is dns-01; accepts a DNS provider with its secret (lesson 2)`,
        lesson: 2,
      });
  });
  return problems;
}
