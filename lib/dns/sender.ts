/** What lets a receiver believe that mail is the domain's: SPF and DKIM. */
import type { Draft } from "./draft.ts";
import type { MailDomainSetup } from "./mail-setup.ts";
import { isPublished } from "./published.ts";
import { spfRecord } from "./spf.ts";

export function addSender(draft: Draft, domain: MailDomainSetup): void {
  addSpf(draft, domain);
  if (!isPublished(draft, domain, "dkim")) addDkim(draft, domain);
}

function addDkim(draft: Draft, { name }: MailDomainSetup): void {
  const { dkim } = draft.setup;
  const note = (why: string, instead: string) =>
    draft.note(name, { state: "missing", what: "DKIM", need: "required", why, instead });
  if (dkim.length === 0)
    note(
      "no key is declared, so mail is unsigned, unless the smarthost signs it",
      "tailwart:dkim: { selectors: [{ name: tw2026, use: publish }] }",
    );
  for (const { selector, record } of dkim)
    if (record === undefined)
      note(
        `the key of ${selector} is not known here: an up makes it, and the stack's state has it`,
        "deploy, or log in to the state's backend (docs/deliverability.md)",
      );
    else draft.add(`${selector}._domainkey.${name}`, "dkim", { type: "TXT", text: record });
}

function addSpf(draft: Draft, { name }: MailDomainSetup): void {
  const { egress } = draft.setup;
  if (egress === undefined)
    return draft.note(name, {
      state: "missing",
      what: "SPF",
      need: "required",
      why: "receivers judge the address that mail leaves from; it is the smarthost's, and not in the config",
      instead: "tailwart:relay: { egress: [192.0.2.25] }, or [include:NAME], as its operator says",
    });
  draft.add(name, "spf", { type: "TXT", text: spfRecord(egress) });
  for (const place of egress)
    draft.note(place, {
      state: "set elsewhere",
      what: "PTR of where mail leaves",
      need: "required",
      why: "receivers look up the name of the address that calls them, and that name's address",
      instead: "its operator sets it, to the name that the smarthost greets with",
    });
}
