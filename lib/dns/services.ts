/** How mail programs find the services: SRV records, and the names of web endpoints. */
import { MAIL_SERVICES } from "../mail-services.ts";
import { technicalNames } from "../tailnet/magic-dns-name.ts";
import type { Draft } from "./draft.ts";
import { mailHostOf } from "./hosts.ts";
import type { MailDomainSetup, MailSetup } from "./mail-setup.ts";
import { isPublished, type Published } from "./published.ts";

type Service = keyof typeof MAIL_SERVICES;

/**
 * Services by their SRV names: RFC 6186 and 8314, RFC 5804 for sieve, RFC 8620 for jmap, RFC 6764
 * for the last two. POP3 in clear is never offered.
 */
const SRV: readonly (readonly [name: string, service: Service | undefined])[] = [
  ["_submissions", "submissions"],
  ["_submission", "submission"],
  ["_imaps", "imaps"],
  ["_imap", "imap"],
  ["_pop3s", "pop3s"],
  ["_pop3", undefined],
  ["_sieve", "managesieve"],
  ["_jmap", "https"],
  ["_caldavs", "https"],
  ["_carddavs", "https"],
];

/** Names of which a program is told that they are not offered (RFC 6186 §3.4). */
const REFUSED = new Set(["_submissions", "_submission", "_imaps", "_imap", "_pop3s", "_pop3"]);

/** The first labels of {@link technicalNames} → what Stalwart calls their records. */
const WEB: Readonly<Record<string, Published>> = {
  "mta-sts": "mtaSts",
  autoconfig: "autoConfigLegacy",
  autodiscover: "autoDiscover",
  "ua-auto-config": "autoConfig",
};

/** Names of a domain's web endpoints, but for those whose records Stalwart publishes. */
export const webNames = (
  { name, publishRecords }: MailDomainSetup,
  { services }: Pick<MailSetup, "services">,
): string[] =>
  services.includes("https")
    ? technicalNames(name).filter((each) => !publishRecords.includes(WEB[each.split(".")[0] ?? ""] ?? ""))
    : [];

export function addServices(draft: Draft, domain: MailDomainSetup): void {
  addWebNames(draft, domain);
  if (!isPublished(draft, domain, "srv")) addSrv(draft, domain);
}

function addWebNames(draft: Draft, domain: MailDomainSetup): void {
  const { addresses, services } = draft.setup;
  for (const kind of ["autoConfig", "autoConfigLegacy", "autoDiscover"] as const)
    isPublished(draft, domain, kind);
  if (!services.includes("https"))
    draft.note(domain.name, {
      state: "left out",
      what: "Names of web endpoints",
      need: "recommended",
      why: "services lacks https, so neither MTA-STS' policy nor a mail program's settings can be had",
    });
  for (const name of webNames(domain, draft.setup))
    for (const address of addresses) draft.add(name, "web", { type: "A", address });
}

function addSrv(draft: Draft, domain: MailDomainSetup): void {
  const { setup } = draft;
  for (const [label, service] of SRV) {
    const data = offered(service, mailHostOf(domain, setup), setup);
    if (data.target !== "" || REFUSED.has(label)) draft.add(`${label}._tcp.${domain.name}`, "srv", data);
  }
}

function offered(service: Service | undefined, target: string, { services }: MailSetup) {
  return service !== undefined && services.includes(service)
    ? { type: "SRV" as const, priority: 0, weight: 1, port: MAIL_SERVICES[service].port, target }
    : { type: "SRV" as const, priority: 0, weight: 0, port: 0, target: "" };
}
