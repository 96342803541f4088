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
import {
  NO_RECORD,
  RECORD_TYPES,
  recordSetOf,
  type RecordSet,
  type RecordValue,
} from "../facts/dns/records.ts";
import { recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";

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

/** A kind of TXT record of which a name has one. */
interface Single {
  readonly what: string;
  readonly is: (text: string) => boolean;
  /** Whether a name, relative or not, is one at which it counts. */
  readonly at: (name: string) => boolean;
  readonly instead: string;
}

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

const ofType = ({ type }: RecordSet, ...types: string[]): boolean =>
  type === undefined || types.includes(type);

/** A name that is no sender's: a key, a challenge or reports, and no policy. */
const isNoSender = (name: string | undefined): boolean => /^_(?!dmarc\b|spf)/i.test(name ?? "");

/** The values of one kind; a value that is written twice is one record. */
function valuesOf(set: RecordSet, { is, at }: Single): RecordValue[] {
  if (!ofType(set, "TXT") || !at(set.name ?? "")) return [];
  const seen = new Set<string>();
  return set.values.filter(({ text }) => is(text) && !seen.has(text) && seen.add(text));
}

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
  const set = recordSetOf(resource);
  if (!set || !ofType(set, "TXT", "SPF")) return NO_RECORD;
  const twice = SINGLES.flatMap((single) => {
    const [first, ...more] = valuesOf(set, single);
    return more.map(({ where }) => ({
      where,
      what: `is one more ${single.what} record of ${set.name ?? "the name"}, beside ${first?.where}`,
      instead: single.instead,
    }));
  });
  const spf = set.values.filter(({ text }) => isSpf(text));
  const gaps: NotJudged[] = isNoSender(set.name) ? [] : [...set.gaps];
  return merge(judgeType(set), refuse(...twice), ...spf.map(judgeSpf), unjudged(...gaps));
}

/** Where a set is: its zone and name, and which of the answers that the name has. */
const placeOf = ({ zone, owner, variant }: OwnedSet): string => [zone.key, owner, variant].join(" ");

/** Several resources of one name, which is how an API that appends is used. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  if (sets.length === 0) return NO_RECORD;
  return merge(...SINGLES.map((single) => judgeKind(single, sets)));
}

function judgeKind(single: Single, sets: readonly OwnedSet[]): Judgement {
  const held = sets.flatMap((set) => {
    const [value] = valuesOf(set, single);
    return value ? [{ set, value }] : [];
  });
  const unnamed = held.filter(({ set }) => set.owner === undefined);
  const named = Map.groupBy(
    held.filter(({ set }) => set.owner !== undefined),
    ({ set }) => placeOf(set),
  );
  const twice = [...named.values()].flatMap(([first, ...more]) =>
    more
      .filter(({ value }) => value.text !== first?.value.text)
      .map(({ set, value }) => ({
        where: value.where,
        what: `is one more ${single.what} record of ${set.name}, beside that of ${first?.set.resource.name} (${first?.value.where})`,
        instead: single.instead,
        urn: set.resource.urn,
      })),
  );
  const open = [
    ...(held.length > 1
      ? unnamed.map(({ set }) => ({
          set,
          because: "may be that of another one of the stack: it is unknown until the update",
        }))
      : []),
    ...mayBeOne(held.map(({ set }) => set)),
  ].map(({ set, because }) => ({ where: "name", because, urn: set.resource.urn }));
  return { findings: twice, notJudged: open };
}

/**
 * In a zone whose name is not known a relative name may be the same as a whole one: `_dmarc` as
 * `_dmarc.example.org`, and `@` as the name in which all whole ones end.
 */
function mayBeOne(held: readonly OwnedSet[]): { set: OwnedSet; because: string }[] {
  const inZone = Map.groupBy(
    held.filter(({ zone, owner }) => zone.name === undefined && owner !== undefined),
    ({ zone }) => zone.key,
  );
  return [...inZone.values()].flatMap((all) => {
    const relative = new Map(all.filter(({ whole }) => !whole).map((set) => [set.owner, set]));
    const whole = all.filter((set) => set.whole);
    const [shortest = ""] = whole.map(({ owner = "" }) => owner).toSorted((a, b) => a.length - b.length);
    const isApex = whole.every(({ owner }) => `.${owner}`.endsWith(`.${shortest}`));
    return whole.flatMap((set) => {
      const label = set.owner?.split(".")[0];
      const same = relative.get(isApex && set.owner === shortest ? "@" : label) ?? relative.get(label);
      if (!same) return [];
      const because = `may be the same as that of ${same.resource.name}: the stack does not tell the zone's name`;
      return [{ set, because }];
    });
  });
}
