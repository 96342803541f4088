import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { covers } from "../facts/caddy/model.ts";
import { RECORD_TYPES } from "../facts/dns/record-kinds.ts";
import { judgeSets, NO_RECORD, ofType, type RecordSet, type RecordValue } from "../facts/dns/records.ts";
import { twiceInSet, twiceInStack, type Single } from "../facts/dns/singles.ts";
import { tagsOf } from "../facts/dns/txt.ts";
import { hostIn, recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";
import { mtaStsPoliciesOf, type MtaStsPolicy } from "../facts/mta-sts.ts";

export const mtaStsNamesTheMx = definePolicy({
  id: "mta-sts-names-the-mx",
  description: "A domain's MTA-STS record is one that senders heed, and its policy names every MX host.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation:
    "Name each MX host in the policy's mx lines, and give the record v=STSv1; id= and 1 to 32 letters and digits.",
  url: "https://www.rfc-editor.org/rfc/rfc8461#section-4.1",
  why: "a sender that keeps the policy brings no mail to an MX host that it does not name, and one that cannot read the record heeds no policy",
  portable: true,
  resourceTypes: RECORD_TYPES,
  judgeResource,
  judgeStack,
});

const PREFIX = "_mta-sts";
const isAtPrefix = (name: string): boolean => /^_mta-sts(?:\.|$)/i.test(name);

const RECORD: Single = {
  what: "MTA-STS",
  // RFC 8461 §3.1: what does not begin with the version is no record of MTA-STS.
  is: (text) => /^v=STSv1\s*;/.test(text),
  at: isAtPrefix,
  instead: "one v=STSv1 record; beside a second one senders take the domain to have no policy",
};

function judgeResource(resource: PolicyResource): Verdict {
  return judgeSets(resource, judgeSet);
}

function judgeSet(set: RecordSet): Verdict {
  if (!ofType(set, "TXT") || !isAtPrefix(set.name ?? "")) return NO_RECORD;
  return merge(...set.values.map(judgeText), twiceInSet(set, RECORD), unjudged(...set.gaps));
}

const INSTEAD =
  "v=STSv1; id= and 1 to 32 letters and digits, such as 20261102T080000, another one with each change";

/** What is meant for a record of MTA-STS; other texts of the name are nobody's concern. */
function judgeText({ where, text }: RecordValue): Judgement {
  if (!/^\s*v\s*=\s*STSv1/i.test(text)) return PASS;
  if (!RECORD.is(text)) return refuse({ where, what: "does not begin with v=STSv1;", instead: INSTEAD });
  const id = tagsOf(text).get("id");
  if (id === undefined) return refuse({ where, what: "has no id", instead: INSTEAD });
  if (/^[A-Za-z0-9]{1,32}$/.test(id)) return PASS;
  return refuse({
    where,
    what: `has the id ${JSON.stringify(id.slice(0, 40))}, and senders heed 1 to 32 letters and digits alone`,
    instead: INSTEAD,
  });
}

/** Two records of one name, and the policies of the domains that have one. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  const records = sets.filter((set) => ofType(set, "TXT") && isAtPrefix(set.name ?? ""));
  if (records.length === 0) return { notApplicable: "no MTA-STS record is in the stack" };
  const domains = records.flatMap(({ owner = "", values }) =>
    owner.startsWith(`${PREFIX}.`) && values.some(({ text }) => RECORD.is(text))
      ? [owner.slice(PREFIX.length + 1)]
      : [],
  );
  const policies = mtaStsPoliciesOf(resources);
  const others = domains.filter((domain) => !policies.some((policy) => policy.domains?.includes(domain)));
  const mx = Map.groupBy(
    sets.filter(({ type, whole, zone }) => type === "MX" && whole && zone.isPublic !== false),
    ({ owner = "" }) => owner,
  );
  return merge(
    twiceInStack(records, RECORD),
    ...[...new Set(domains)].map((domain) =>
      judgeDomain(domain, policyOf(domain, policies, new Set(others).size === 1), mx.get(domain) ?? []),
    ),
  );
}

/**
 * @param alone whether texts can be of no other domain of the stack; they may still be of one whose
 *   records are elsewhere
 */
function policyOf(
  domain: string,
  policies: readonly MtaStsPolicy[],
  alone: boolean,
): MtaStsPolicy | undefined {
  const own = policies.find(({ domains }) => domains?.includes(domain));
  const texts = policies.filter(({ domains }) => !domains);
  const saying = new Set(texts.map(({ mode, mx }) => JSON.stringify([mode, mx])));
  return own ?? (alone && saying.size === 1 ? texts[0] : undefined);
}

function judgeDomain(domain: string, policy: MtaStsPolicy | undefined, mx: readonly OwnedSet[]): Judgement {
  if (!policy || !policy.mode || !["enforce", "testing"].includes(policy.mode)) return PASS;
  const { where, resource, mode } = policy;
  const hosts = mx.flatMap((set) =>
    set.values.flatMap((value) => {
      const host = hostIn(set, value.text);
      return host === undefined || host === "" ? [] : [{ host, set, value }];
    }),
  );
  const gap = mx.find(({ gaps }) => gaps.length > 0)?.gaps[0]?.where;
  if (policy.mx === undefined)
    return hosts.length === 0
      ? PASS
      : at(resource.urn, unjudged({ where, because: `may not name the MX hosts of ${domain}` }));
  const named = policy.mx;
  const open =
    gap === undefined ? [] : [{ where, because: `may lack an MX host of ${domain}: ${gap} is unknown` }];
  // As in a certificate: a wildcard stands for one label.
  const missing = hosts.filter(({ host }) => !named.some((pattern) => covers(pattern, host)));
  const lacks = ({ host, set, value }: (typeof hosts)[number]): string =>
    `does not name ${host}, to which the MX record of ${domain} leads (${set.resource.name}, ${value.where})`;
  if (!policy.domains) {
    const guessed = missing.map((one) => ({ where, because: `${lacks(one)}; it may be another domain's` }));
    return at(resource.urn, unjudged(...guessed, ...open));
  }
  const findings = missing.map((one) => ({
    where,
    what: `${mode === "testing" ? "is tested, and " : ""}${lacks(one)}`,
    instead: `${one.host} among its mx, and then another id at ${PREFIX}.${domain}`,
    ...(mode === "testing" && { advice: true as const }),
  }));
  return at(resource.urn, { findings, notJudged: open });
}
