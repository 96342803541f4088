import type { MailSetup } from "../lib/dns/mail-setup.ts";
import { splitAddress } from "../lib/email-address.ts";
import { desiredState } from "./desired-state.ts";
import type { Config } from "./schema.ts";
import { declaredLine } from "./stalwart-release.ts";

/**
 * What the records for mail are made from.
 *
 * @param dkimRecords selector → what its record says, from the stack's outputs
 * @throws UserError when the stack's line of Stalwart does not offer what the config asks for
 * @example mailRecords(mailSetup(config)).records
 */
export function mailSetup(config: Config, dkimRecords: Readonly<Record<string, string>> = {}): MailSetup {
  const { mtaSts } = desiredState(config, declaredLine(config) ?? "0.15");
  const dead = config.withoutGuards[17];
  return {
    mailHost: config.mailHost,
    addresses: config.edges.map(({ wanAddress }) => wanAddress),
    ...(typeof dead === "string" && { deadAddress6: dead }),
    domains: config.domains,
    services: config.services,
    egress: config.relay.egress,
    dkim: config.dkim.selectors.map(({ name }) => ({ selector: name, record: dkimRecords[name] })),
    mtaSts,
    acme: config.acme,
    acmeAccounts: config.dns.acmeAccounts,
    reports: config.dns.reports,
    isDelivered: deliveryOf(config),
  };
}

/** Addresses have no case in the config; a domain's catch-all takes each that nobody has. */
function deliveryOf({ accounts, groups, lists, domains }: Config): (address: string) => boolean {
  const own = [...accounts, ...groups].flatMap(({ address, aliases }) => [address, ...aliases]);
  const known = new Set([...own, ...lists.map(({ address }) => address)].map((each) => each.toLowerCase()));
  const caught = new Set(
    domains.flatMap(({ name, catchAll }) => (catchAll === undefined ? [] : [name.toLowerCase()])),
  );
  return (address) => known.has(address) || caught.has(splitAddress(address)[1]);
}
