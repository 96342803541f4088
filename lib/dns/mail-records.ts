import { addCaa } from "./caa.ts";
import { Draft, type Note } from "./draft.ts";
import { addHosts, mailHostOf } from "./hosts.ts";
import type { MailSetup } from "./mail-setup.ts";
import { addMtaSts } from "./mta-sts.ts";
import type { MailRecord } from "./record.ts";
import { addReports } from "./reports.ts";
import { addSender } from "./sender.ts";
import { addServices } from "./services.ts";

/** What is to be published, and what is said of the rest. */
export interface MailRecords {
  readonly records: readonly MailRecord[];
  readonly notes: readonly Note[];
}

/**
 * The records that a stack's mail needs, domain by domain, and what is missing of them, and why.
 *
 * A record is there once, a name has one SPF and one DMARC record at most, and an MX leads to a
 * name that has an address of its own. What the setup does not say is never guessed.
 *
 * @example
 * mailRecords(setup).records[0] // { name: "mail.example.org", type: "A", … }
 */
export function mailRecords(setup: MailSetup): MailRecords {
  const draft = new Draft(setup);
  addHosts(draft);
  for (const domain of draft.setup.domains) {
    const exchange = mailHostOf(domain, draft.setup);
    draft.add(domain.name, "mx", { type: "MX", preference: 10, exchange });
    addSender(draft, domain);
    addReports(draft, domain);
    addMtaSts(draft, domain);
    addServices(draft, domain);
  }
  addCaa(draft);
  return { records: draft.records(), notes: draft.notes() };
}
