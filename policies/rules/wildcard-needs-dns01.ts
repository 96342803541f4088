import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import { acmeOf, type AcmeClient } from "../facts/stalwart/acme.ts";

export const wildcardNeedsDns01 = definePolicy({
  id: "wildcard-needs-dns01",
  description: "A wildcard certificate is ordered with DNS-01 or DNS-PERSIST-01.",
  severity: "high",
  lesson: 4,
  enforcementLevel: "mandatory",
  remediation: "Set the challenge to dns-01 and name a DNS provider, or list the names without a wildcard.",
  url: "https://letsencrypt.org/docs/challenge-types/",
  why: "a CA proves a wildcard over DNS alone, so every order with another challenge fails and spends the budget of failed validations",
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource,
});

/** What Stalwart's 0.15 line takes where none is written (common/src/config/server/tls.rs). */
const DEFAULT_CHALLENGE = "tls-alpn-01";
const ANY_NAME_BY_DNS = /^dns-(?:persist-)?01$/;
const INSTEAD = "challenge dns-01 with a DNS provider, or each name by itself and no wildcard";

function judgeClient({ challenge, names, list }: AcmeClient): Judgement {
  const text = challenge.text ?? DEFAULT_CHALLENGE;
  if (challenge.known && ANY_NAME_BY_DNS.test(text)) return PASS;
  // Only a known challenge is quoted: a text in the wrong field could be anything.
  const by = /^(?:tls-alpn|http)-01$/.test(text) ? text : "another challenge than dns-01";
  const findings: Finding[] = names
    .filter((name) => name.text?.trim().startsWith("*."))
    .map(({ where }) => ({ where, what: `asks for a wildcard with ${by}`, instead: INSTEAD }));
  if (names.length === 0 && list.complete) {
    const what = `is empty, which stands for the domain's wildcard (the 0.15 line orders nothing then), with ${by}`;
    findings.push({ where: list.where, what, instead: INSTEAD });
  }
  if (!challenge.known) {
    const open = findings.length > 0 || !list.complete || names.some((name) => !name.known);
    return open ? unknown(challenge.where) : PASS;
  }
  const unread = names.filter((name) => !name.known).map((name) => name.where);
  return merge(refuse(...findings), unknown(...unread, ...(list.complete ? [] : [list.where])));
}

function judgeResource(resource: PolicyResource): Verdict {
  const acme = acmeOf(resource);
  if (!acme) return { notApplicable: "only Stalwart's settings name what certificates are ordered for" };
  return merge(unjudged(...acme.gaps), ...acme.clients.map(judgeClient));
}
