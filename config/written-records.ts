import { mailRecords } from "../lib/dns/mail-records.ts";
import type { MailRecord } from "../lib/dns/record.ts";
import { recordSets } from "../lib/dns/record-sets.ts";
import { mailSetup } from "./mail-setup.ts";
import type { Config } from "./schema.ts";
import type { Provider } from "./schema/certificates.ts";

/** Types of tailwart:dnsProvider at which the stack writes records. */
export const WRITES = ["rfc2136", "spaceship", "cloudflare", "desec"] as const;

type Writes = Extract<Provider, { type: (typeof WRITES)[number] }>;
const isWritten = (provider: Provider): provider is Writes => WRITES.some((type) => type === provider.type);

/** The records that are written, and where; undefined where none is. Those of DKIM are not here. */
export function writtenRecords({ dns, ...config }: Config) {
  const { dnsProvider, withoutGuards } = config;
  if (!dns.write || !dnsProvider || !isWritten(dnsProvider)) return undefined;
  const { records } = mailRecords(mailSetup({ ...config, dns }));
  return {
    writer: placeOf(dnsProvider),
    records: recordSets(records.filter((record) => isHeldBy(dnsProvider, record))),
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
