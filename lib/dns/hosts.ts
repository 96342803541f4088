import type { Draft } from "./draft.ts";
import type { MailDomainSetup, MailSetup } from "./mail-setup.ts";
import { reverseName } from "./record.ts";

/** The name by which a domain's mail host is known: its own, or the server's. */
export const mailHostOf = (
  { hosts: [own] }: Pick<MailDomainSetup, "hosts">,
  { mailHost }: Pick<MailSetup, "mailHost">,
): string => own ?? mailHost;

/** Every name of the mail host. */
export const mailHosts = ({ mailHost, domains }: MailSetup): string[] => [
  ...new Set([mailHost, ...domains.flatMap(({ hosts }) => hosts)]),
];

/** The mail hosts lead to every edge; who rents its address out sets the way back. */
export function addHosts(draft: Draft): void {
  const { setup } = draft;
  for (const host of mailHosts(setup)) {
    for (const address of setup.addresses) draft.add(host, "host", { type: "A", address });
    if (setup.deadAddress6 !== undefined)
      draft.add(host, "host", { type: "AAAA", address: setup.deadAddress6 });
    draft.note(host, {
      state: "left out",
      what: "AAAA",
      need: "required",
      why: "an edge has an IPv4 address alone: a sender with IPv6 would try that first, and bounce (lesson 17)",
    });
  }
  for (const address of setup.addresses)
    draft.note(address, {
      state: "set elsewhere",
      what: "PTR of the edge",
      need: "recommended",
      why: "the name of an address is set by whoever rents it out",
      instead: `at its provider: ${reverseName(address)} PTR ${setup.mailHost}`,
    });
}
