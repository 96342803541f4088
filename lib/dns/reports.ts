/** What receivers report, and to whom: DMARC (RFC 7489) and TLS-RPT (RFC 8460). */
import { splitAddress } from "../email-address.ts";
import type { Draft } from "./draft.ts";
import type { MailDomainSetup, MailSetup } from "./mail-setup.ts";
import { isPublished } from "./published.ts";

export function addReports(draft: Draft, domain: MailDomainSetup): void {
  const { name } = domain;
  const to = reportsOf(name, draft.setup);
  const dmarc = !isPublished(draft, domain, "dmarc");
  const tlsRpt = !isPublished(draft, domain, "tlsRpt");
  if (dmarc) {
    const rua = to === undefined ? [] : [`rua=mailto:${to}`];
    const text = ["v=DMARC1", `p=${domain.dmarc}`, ...rua].join("; ");
    draft.add(`_dmarc.${name}`, "dmarc", { type: "TXT", text });
    if (to !== undefined) addConsent(draft, name, to);
  }
  if (tlsRpt && to !== undefined)
    draft.add(`_smtp._tls.${name}`, "tlsRpt", { type: "TXT", text: `v=TLSRPTv1; rua=mailto:${to}` });
  if (to === undefined && (dmarc || tlsRpt))
    draft.note(name, {
      state: "missing",
      what: "Reports (DMARC's rua, TLS-RPT)",
      need: "recommended",
      why: "postmaster of the domain is no address of accounts, groups or lists, so nobody reads them",
      instead: "an alias postmaster@ the domain, or tailwart:dns: { reports: postmaster@example.org }",
    });
}

/** Where a domain's reports go, if anybody reads them there. */
function reportsOf(domain: string, { reports, isDelivered }: MailSetup): string | undefined {
  const postmaster = `postmaster@${domain}`;
  return reports?.toLowerCase() ?? (isDelivered(postmaster) ? postmaster : undefined);
}

/** Reports go to another domain only where that one agrees (RFC 7489 §7.1). */
function addConsent(draft: Draft, name: string, to: string): void {
  const [, domain] = splitAddress(to);
  if (domain === name) return;
  if (draft.isDomain(domain))
    return draft.add(`${name}._report._dmarc.${domain}`, "dmarcReports", { type: "TXT", text: "v=DMARC1" });
  draft.note(name, {
    state: "set elsewhere",
    what: "Consent to DMARC's reports",
    need: "recommended",
    why: `they go to ${to}, and receivers ask ${domain} whether it wants them`,
    instead: `in the zone of ${domain}: <this domain>._report._dmarc.${domain} TXT "v=DMARC1"`,
  });
}
