import { isSpf, MOST_LOOKUPS, spfLookups, spfTerms } from "../../lib/dns/spf-terms.ts";
import { PASS, refuse, unjudged, merge } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type NotJudged,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { RECORD_TYPES } from "../facts/dns/record-kinds.ts";
import {
  isNoSender,
  judgeSets,
  NO_RECORD,
  ofType,
  type RecordSet,
  type RecordValue,
} from "../facts/dns/records.ts";
import { twiceInSet, twiceInStack, type Single } from "../facts/dns/singles.ts";
import { recordsOfStack } from "../facts/dns/zones.ts";

export const oneSpfRecord = definePolicy({
  id: "one-spf-record",
  description:
    "A name has one SPF record and one DMARC record, and a receiver can work out what the SPF record says.",
  severity: "critical",
  lesson: 18,
  enforcementLevel: "mandatory",
  remediation: "Write one TXT record v=spf1 that holds the mechanisms of all, and delete the others.",
  url: "https://www.rfc-editor.org/rfc/rfc7208#section-4.5",
  why: "two v=spf1 records, or one that asks too often, are a permerror with which all mail of the domain fails SPF; two DMARC records are no policy, and +all is none either",
  portable: true,
  resourceTypes: RECORD_TYPES,
  judgeResource,
  judgeStack,
});

const isDmarcName = (name: string): boolean => /^_dmarc(?:\.|$)/i.test(name);
const SINGLES: readonly Single[] = [
  {
    what: "SPF",
    is: isSpf,
    at: (name) => !isDmarcName(name),
    instead:
      "one v=spf1 record with the mechanisms of both; where the provider's API appends, delete the old one first",
  },
  {
    what: "DMARC",
    // RFC 7489 §6.6.3: what does not begin with the version is no DMARC record.
    is: (text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text),
    at: isDmarcName,
    instead: "one v=DMARC1 record; several addresses for reports go into its one rua, with commas",
  },
];

function judgeSpf({ where, text }: RecordValue): Judgement {
  const findings: Finding[] = [];
  const lookups = spfLookups(text);
  if (lookups > MOST_LOOKUPS)
    findings.push({
      where,
      what: `makes a receiver ask the DNS ${lookups} times for its own terms alone, and ${MOST_LOOKUPS} is the most`,
      instead: "ip4: and ip6: in place of a and mx, and no include of a service that sends nothing any more",
    });
  const all = spfTerms(text).find((term) => /^\+?all$/i.test(term));
  if (all !== undefined)
    findings.push({
      where,
      what: `ends in ${all}, which lets every host of the internet send in the domain's name`,
      instead: "-all, or ~all until all senders are known",
    });
  return refuse(...findings);
}

function judgeType({ type }: RecordSet): Judgement {
  if (type !== "SPF") return PASS;
  return refuse({
    where: "type",
    what: "is SPF, a type that no receiver asks for (RFC 7208 §3.1)",
    instead: "TXT, with the same value",
  });
}

/** The values that one resource holds. */
function judgeResource(resource: PolicyResource): Verdict {
  return judgeSets(resource, judgeSet);
}

function judgeSet(set: RecordSet): Verdict {
  if (!ofType(set, "TXT", "SPF")) return NO_RECORD;
  const twice = SINGLES.map((single) => twiceInSet(set, single));
  const spf = set.values.filter(({ text }) => isSpf(text));
  const gaps: NotJudged[] = isNoSender(set.name) ? [] : [...set.gaps];
  return merge(judgeType(set), ...twice, ...spf.map(judgeSpf), unjudged(...gaps));
}

/** Several resources of one name, which is how an API that appends is used. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  if (sets.length === 0) return NO_RECORD;
  return merge(...SINGLES.map((single) => twiceInStack(sets, single)));
}
