import { merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { dkimKeyOf, dkimValues, domainOfSelector } from "../facts/dns/dkim.ts";
import { RECORD_TYPES } from "../facts/dns/record-kinds.ts";
import { REGISTRY, SETTINGS } from "../facts/own-resources.ts";
import { signingOf, type Signer } from "../facts/stalwart/dkim-signers.ts";
import { judgeSets, NO_RECORD, ofType, type RecordSet, type RecordValue } from "../facts/dns/records.ts";
import { recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";

export const dkimPublished = definePolicy({
  id: "dkim-published",
  description:
    "Every DKIM key in the zone is one that receivers can use, a domain has an RSA key, and one signs wherever one of ed25519 does.",
  severity: "high",
  lesson: 19,
  enforcementLevel: "mandatory",
  remediation: "Publish an RSA key of 2048 bits as v=DKIM1; k=rsa; p=…, in strings of at most 255 bytes.",
  url: "https://www.rfc-editor.org/rfc/rfc6376#section-3.6.1",
  why: "a signature whose key a receiver cannot use counts as none or as a failed one, and large receivers reject unsigned mail",
  portable: true,
  resourceTypes: [...RECORD_TYPES, SETTINGS, REGISTRY],
  judgeResource,
  judgeStack,
});

/** Receivers must not take less, and signers should not use less (RFC 8301 §3.2). */
const LEAST_BITS = 1024;
const GOOD_BITS = 2048;
/** A string of a TXT record has its length in one byte (RFC 1035 §3.3). */
const LONGEST_STRING = 255;
const INSTEAD =
  "v=DKIM1; k=rsa; p= and the base64 of the public key of 2048 bits, whole and without its PEM lines";

function judgeKey({ where, text }: RecordValue): Judgement {
  const key = dkimKeyOf(text);
  if (key.kind === "unusable") return refuse({ where, what: key.what, instead: INSTEAD });
  if (key.kind !== "rsa" || key.bits >= GOOD_BITS) return PASS;
  const what = `is an RSA key of ${key.bits} bits`;
  return key.bits < LEAST_BITS
    ? refuse({
        where,
        what: `${what}, and receivers take none below ${LEAST_BITS} (RFC 8301)`,
        instead: INSTEAD,
      })
    : refuse({
        where,
        what: `${what}; ${GOOD_BITS} are what signers should use (RFC 8301)`,
        instead: INSTEAD,
        advice: true,
      });
}

function judgeStrings({ where, strings }: RecordValue): Judgement {
  const longest = Math.max(0, ...strings.map((string) => Buffer.byteLength(string)));
  if (longest <= LONGEST_STRING) return PASS;
  const what = `has a string of ${longest} bytes, and one of a TXT record holds ${LONGEST_STRING}`;
  return refuse({ where, what, instead: 'the value in pieces, as "first 255 bytes" "the rest"' });
}

function judgeResource(resource: PolicyResource): Verdict {
  const signing = signingOf(resource);
  if (!signing) return judgeSets(resource, judgeSet);
  const { groups, gaps } = signing;
  if (groups.length + gaps.length === 0) return { notApplicable: "it says nothing of what signs mail" };
  return merge(...groups.map(judgeSigners), unjudged(...gaps));
}

/** Keys that sign the same mail: a receiver that knows no ed25519 must find one of RSA. */
function judgeSigners(signers: readonly Signer[]): Judgement {
  const where = signers[0]?.where ?? "";
  if (signers.some(({ algorithm }) => algorithm === "rsa")) return PASS;
  if (signers.some(({ algorithm }) => algorithm === undefined))
    return unjudged({ where, because: "whether a key of RSA is among those that sign is not known" });
  return refuse({
    where,
    what: "has mail signed by ed25519 alone, which large receivers do not know",
    instead: "a key of RSA with 2048 bits that signs the same mail, too",
  });
}

function judgeSet(set: RecordSet): Verdict {
  if (!ofType(set, "TXT")) return NO_RECORD;
  if (set.name !== undefined && domainOfSelector(set.name) === undefined)
    return { notApplicable: "it is no DKIM selector's" };
  return merge(
    ...dkimValues(set).map((value) => merge(judgeKey(value), judgeStrings(value))),
    unjudged(...set.gaps),
  );
}

/** Domains all of whose keys in the stack are of ed25519, which some receivers do not know. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  const selectors = sets.flatMap((set) => {
    const domain = set.owner === undefined ? undefined : domainOfSelector(set.owner);
    return domain === undefined ? [] : [{ set, place: `${set.zone.key} ${domain}` }];
  });
  if (selectors.length === 0) return { notApplicable: "no DKIM selector is in the stack" };
  const unnamed = new Map(sets.filter(({ owner }) => owner === undefined).map((set) => [set.zone.key, set]));
  const domains = Map.groupBy(selectors, ({ place }) => place);
  return merge(
    ...[...domains.values()].map((all) =>
      judgeDomain(
        all.map(({ set }) => set),
        unnamed,
      ),
    ),
  );
}

function judgeDomain(sets: readonly OwnedSet[], unnamed: ReadonlyMap<string, OwnedSet>): Judgement {
  const keys = sets.flatMap((set) =>
    dkimValues(set).map((value) => ({ set, value, kind: dkimKeyOf(value.text).kind })),
  );
  const [first] = keys.filter(({ kind }) => kind === "ed25519");
  if (!first || keys.some(({ kind }) => kind === "rsa" || kind === "unusable")) return PASS;
  const { where } = first.value;
  const { urn } = first.set.resource;
  const other =
    sets.find(({ type, values, gaps }) => type !== "TXT" || gaps.length > 0 || values.length === 0) ??
    unnamed.get(first.set.zone.key);
  if (other) {
    const because = `is an ed25519 key, which is well beside an RSA key; whether ${other.resource.name} is one is not known`;
    return unjudged({ where, because, urn });
  }
  const what = "is an ed25519 key, and the domain has no RSA key beside it";
  return refuse({
    where,
    what,
    instead: "an RSA key of 2048 bits under another selector, with which all mail is signed too",
    urn,
  });
}
