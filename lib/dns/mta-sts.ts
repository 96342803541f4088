/** MTA-STS (RFC 8461): that other servers bring mail over verified TLS alone. */
import { createHash } from "node:crypto";

import type { Draft } from "./draft.ts";
import { mailHostOf } from "./hosts.ts";
import type { MailDomainSetup, MtaStsPolicy } from "./mail-setup.ts";
import { isAmong, patternSet } from "./name-patterns.ts";
import { isPublished } from "./published.ts";

/**
 * What the record at `_mta-sts` says. Its id changes with what the policy says, and with nothing
 * else: senders that keep a policy ask for it anew when the id is another (§3.1).
 *
 * @example mtaStsRecord({ mode: "testing", maxAge: 7, mx: ["mail.example.org"] })
 */
export function mtaStsRecord({ mode, maxAge, mx }: MtaStsPolicy): string {
  const said = JSON.stringify([mode, maxAge, [...patternSet(mx)].toSorted()]);
  // 1 to 32 letters and digits.
  return `v=STSv1; id=${createHash("sha256").update(said).digest("hex").slice(0, 32)}`;
}

/** The record, or why there would be no policy behind it that mail could be brought by. */
export function addMtaSts(draft: Draft, domain: MailDomainSetup): void {
  const { name } = domain;
  const { mtaSts } = draft.setup;
  if (isPublished(draft, domain, "mtaSts")) return;
  const because = mtaSts.mode === "disable" ? DISABLED : obstacle(draft, domain);
  if (because) draft.note(name, { what: "MTA-STS", need: "recommended", ...because });
  else draft.add(`_mta-sts.${name}`, "mtaSts", { type: "TXT", text: mtaStsRecord(mtaSts) });
}

const DISABLED = { state: "left out", why: "tailwart:settings.mtaSts.mode is disable" } as const;

/** Why senders would get no policy, or one by which mail cannot come. */
function obstacle({ setup, certified, policyHosts }: Draft, domain: MailDomainSetup) {
  const state = "missing" as const;
  const host = mailHostOf(domain, setup);
  const policy = `mta-sts.${domain.name}`;
  if (!setup.services.includes("https"))
    return { state, why: "its policy is served on 443", instead: "https among tailwart:services" };
  if (!isAmong(host, policyHosts))
    return {
      state,
      why: "the policy does not name the domain's MX, so mail would be refused",
      instead: "the mail host among tailwart:settings.mtaSts.mx, or no mx there",
    };
  const bare = [policy, host].find((each) => !isAmong(each, certified));
  if (bare === undefined) return undefined;
  return {
    state,
    why: "no ACME client orders a certificate for the policy's name or the mail host",
    instead: "mta-sts. of the domain and the mail host among names of tailwart:acme, or *. and the domain",
  };
}
