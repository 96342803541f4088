import type { Draft } from "./draft.ts";
import type { MailDomainSetup } from "./mail-setup.ts";

/** What Stalwart may publish by itself → what it is called. */
const PUBLISHED = {
  dkim: "DKIM",
  dmarc: "DMARC",
  tlsRpt: "TLS-RPT",
  mtaSts: "MTA-STS",
  srv: "SRV",
  autoConfig: "ua-auto-config",
  autoConfigLegacy: "autoconfig",
  autoDiscover: "autodiscover",
  caa: "CAA",
} as const;

export type Published = keyof typeof PUBLISHED;

/**
 * Whether Stalwart publishes a kind of record by itself, which is noted: two of a kind are worse
 * than none (lesson 18).
 */
export function isPublished(draft: Draft, domain: MailDomainSetup, kind: Published): boolean {
  if (!domain.publishRecords.includes(kind)) return false;
  draft.note(domain.name, {
    state: "set elsewhere",
    what: PUBLISHED[kind],
    need: "recommended",
    why: "it is among publishRecords of the domain",
    instead: "Stalwart publishes it through tailwart:dnsProvider",
  });
  return true;
}
