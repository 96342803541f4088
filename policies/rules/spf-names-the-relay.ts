import { notPublic } from "../../lib/address-ranges.ts";
import { isSpf, readSpfTerm, spfTerms } from "../../lib/dns/spf-terms.ts";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { byName, type ByName } from "../facts/dns/lookup.ts";
import { RECORD_TYPES } from "../facts/dns/record-kinds.ts";
import {
  isNoSender,
  judgeSets,
  NO_RECORD,
  ofType,
  type RecordSet,
  type RecordValue,
} from "../facts/dns/records.ts";
import { answerFor, passingTerms } from "../facts/dns/spf.ts";
import { recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";
import { sendersOf, type Sender } from "../facts/mail-dns.ts";

export const spfNamesTheRelay = definePolicy({
  id: "spf-names-the-relay",
  description: "A domain's SPF record lets mail pass from where the domain's mail really leaves.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation: "Put the relay's public addresses, or the include: that its operator gives, in front of all.",
  url: "https://www.rfc-editor.org/rfc/rfc7208#section-4.6",
  why: "receivers look the address that mail comes from up in this record: mail from any other one counts as forged",
  portable: true,
  resourceTypes: RECORD_TYPES,
  judgeResource,
  judgeStack,
});

function judgeResource(resource: PolicyResource): Verdict {
  return judgeSets(resource, judgeSet);
}

function judgeSet(set: RecordSet): Verdict {
  if (!ofType(set, "TXT")) return NO_RECORD;
  const spf = set.values.filter(({ text }) => isSpf(text));
  return merge(...spf.map(judgeTerms), unjudged(...(isNoSender(set.name) ? [] : set.gaps)));
}

/** Terms that no receiver reads, so that they name nobody. */
function judgeTerms({ where, text }: RecordValue): Judgement {
  const terms = spfTerms(text).map((text) => ({ text, term: readSpfTerm(text) }));
  const unread = terms.find(({ term }) => !term);
  if (unread)
    return refuse({
      where,
      what: `has ${unread.text}, which no receiver can read, so that the whole record is a permerror`,
      instead: "ip4: or ip6: and an address, include: and a name, and no blank inside of a term",
    });
  const all = terms.findIndex(({ term }) => term?.name === "all");
  const late = all < 0 ? undefined : terms.slice(all + 1).find(({ term }) => term?.qualifier !== "");
  if (!late) return PASS;
  const what = `has ${late.text} behind ${terms[all]?.text}, where no receiver reads on`;
  return refuse({ where, what, instead: `${late.text} in front of ${terms[all]?.text}` });
}

/** What the stack tells of where mail leaves. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  const held = sets.flatMap((set) =>
    ofType(set, "TXT") ? set.values.filter(({ text }) => isSpf(text)).map((value) => ({ set, value })) : [],
  );
  if (held.length === 0) return NO_RECORD;
  const names = byName(sets);
  const senders = sendersOf(resources);
  return merge(
    ...held.map(({ set, value }) => {
      const sender = set.whole && set.zone.isPublic !== false ? senders.get(set.owner ?? "") : undefined;
      const judged = sender ? judgeSender(set, value, sender, names) : judgeAddresses(set, value);
      return at(set.resource.urn, judged);
    }),
  );
}

/** A domain of which the stack tells where its mail leaves. */
function judgeSender(set: OwnedSet, value: RecordValue, sender: Sender, names: ByName): Judgement {
  const { where, text } = value;
  if (sender.places.length === 0) {
    if (passingTerms(text).length > 0) return judgeAddresses(set, value);
    return unjudged({
      where,
      because: `lets mail of ${set.owner} pass from nowhere; whether it has any is not known without relay.egress`,
    });
  }
  return merge(
    ...sender.places.map((place) => {
      const answer = answerFor(text, place, set, names);
      if (answer === "pass") return PASS;
      if (answer === "open")
        return unjudged({
          where,
          because: `asks for more than the stack has: whether it lets ${place} pass, from which mail of ${set.owner} leaves, is not known`,
        });
      return refuse({
        where,
        what: `does not let ${place} pass, from which mail of ${set.owner} leaves (${sender.where})`,
        instead: `${termOf(place)} in front of all`,
      });
    }),
  );
}

function termOf(place: string): string {
  if (place.startsWith("include:")) return place;
  return `${place.includes(":") ? "ip6" : "ip4"}:${place}`;
}

/** A record whose addresses no receiver of the internet ever sees. */
function judgeAddresses({ zone, name }: OwnedSet, { where, text }: RecordValue): Judgement {
  const passing = passingTerms(text);
  const hidden = passing.map(({ value, prefix }) => ({ value, of: notPublic(value + prefix) }));
  const [first] = hidden;
  if (!first || zone.isPublic === false || hidden.some(({ of }) => of === undefined)) return PASS;
  if (/^_/.test(name ?? "")) return PASS;
  const what = `lets mail pass from ${first.value} alone, an address of ${first.of}`;
  if (zone.isPublic === undefined)
    return unjudged({
      where,
      because: `${what}, which is right in a private zone; the stack does not tell whether this is one`,
    });
  return refuse({
    where,
    what: `${what}, and no receiver sees mail come from there`,
    instead: "the address from which the relay reaches the internet, as ip4: or ip6:",
  });
}
