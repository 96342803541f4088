import { type MailRecords, mailRecords } from "../lib/dns/mail-records.ts";
import type { MailRecord } from "../lib/dns/record.ts";
import { recordSets, WRITERS } from "../lib/dns/record-sets.ts";
import { mailSetup } from "./mail-setup.ts";
import type { Config } from "./schema.ts";
import type { Provider } from "./schema/certificates.ts";

type Writes = Extract<Provider, { type: (typeof WRITERS)[number] }>;
const isWritten = (provider: Provider): provider is Writes => WRITERS.some((type) => type === provider.type);

/** The provider that the stack writes at; undefined where it writes nowhere. */
const writtenAt = ({ dns, dnsProvider }: Config): Writes | undefined =>
  dns.write && dnsProvider && isWritten(dnsProvider) ? dnsProvider : undefined;

/**
 * The records that a stack's mail needs, whoever writes, prints or looks for them. What the
 * provider that the stack writes at cannot hold is none of them: nobody can set it there by hand
 * either, and another place for the zone there is not.
 *
 * @param dkimRecords selector → what its record says, from the stack's outputs
 * @throws UserError when the stack's line of Stalwart does not offer what the config asks for
 */
export function wantedRecords(
  config: Config,
  dkimRecords: Readonly<Record<string, string>> = {},
): MailRecords {
  const { records, notes } = mailRecords(mailSetup(config, dkimRecords));
  const provider = writtenAt(config);
  return { records: records.filter((record) => !provider || isHeldBy(provider, record)), notes };
}

/** The records that are written, and where; undefined where none is. Those of DKIM are not here. */
export function writtenRecords(config: Config) {
  const { dns, withoutGuards } = config;
  const provider = writtenAt(config);
  if (!provider) return undefined;
  return {
    writer: placeOf(provider),
    records: recordSets(wantedRecords(config).records),
    adopt: dns.adopt,
    removeOnDestroy: dns.removeOnDestroy,
    ...(18 in withoutGuards && { withoutGuards }),
  };
}

function placeOf(provider: Writes) {
  if (provider.type !== "rfc2136") return provider;
  // How Stalwart's updates travel is its own: records go over TCP.
  const { protocol: _, ...place } = provider;
  return place;
}

/**
 * Whether a provider can hold a record: Spaceship has no SRV record that says "not offered", since
 * its ports begin with 1 (github.com/namecheap/go-spaceship-sdk, client/records/srv.go).
 */
const isHeldBy = ({ type }: Writes, record: MailRecord): boolean =>
  type !== "spaceship" || record.type !== "SRV" || record.port > 0;
