import { z } from "zod";

import {
  acmeClientSchema,
  type DnsProvider,
  dnsProviderSchema as withFiles,
} from "../../lib/desired-state/acme.ts";
import { SECRET_DIRECTORY } from "../../lib/stalwart/paths.ts";

const EXAMPLE = {
  id: "letsencrypt",
  contact: ["postmaster@example.org"],
  challenge: "dns-01",
  names: ["*.example.org"],
};

/** Stalwart's own certificates: as the desired state has them. */
export const acmeSchema = z
  .array(acmeClientSchema)
  .default([])
  .meta({ accepts: "a list of ACME clients", examples: [[EXAMPLE]] })
  .describe(
    "Who orders the certificates that Stalwart shows on every mail port and behind the edge's :443. Without a client Stalwart shows one that it has signed itself, which mail programs warn of.",
  );

const [rfc2136, cloudflare, digitalocean, desec, ovh, spaceship] = withFiles.options;
/** The files are tailwart's to name: what is in them are the stack's secrets. */
const file = { secretFile: true } as const;

/** A DNS provider as the desired state has it, but for the files of its secrets. */
export const dnsProviderSchema = z
  .discriminatedUnion(
    "type",
    [
      rfc2136.omit(file),
      cloudflare.omit(file),
      digitalocean.omit(file),
      desec.omit(file),
      ovh.omit({ ...file, consumerKeyFile: true }),
      spaceship.omit(file),
    ],
    { error: "accepts rfc2136, cloudflare, digitalocean, desec, ovh or spaceship as type" },
  )
  .optional()
  .meta({
    accepts: "a map with the type rfc2136, cloudflare, digitalocean, desec, ovh or spaceship",
    examples: [{ type: "cloudflare" }],
  })
  .describe(
    "Where the records of DNS-01 are written, and with tailwart:dns.write those that mail needs; Stalwart 0.15 has no spaceship, which is then for these alone. The provider's key is the secret tailwart:dnsSecret.",
  );

export type Provider = NonNullable<z.output<typeof dnsProviderSchema>>;

/** Where Stalwart finds what the config keeps as secrets. */
const SECRET_FILE = `${SECRET_DIRECTORY}dns`;
const CONSUMER_KEY_FILE = `${SECRET_DIRECTORY}dns-consumer`;

/**
 * The provider as the desired state has it.
 * @example withSecretFiles({ type: "desec" }).secretFile === "/etc/stalwart/secrets/dns"
 */
export function withSecretFiles(provider: Provider): DnsProvider {
  const secretFile = SECRET_FILE;
  return provider.type === "ovh"
    ? { ...provider, secretFile, consumerKeyFile: CONSUMER_KEY_FILE }
    : { ...provider, secretFile };
}
