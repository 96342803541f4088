import { merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { byName, setsOf, type ByName } from "../facts/dns/lookup.ts";
import { hostIn, recordsOfStack, type OwnedSet } from "../facts/dns/zones.ts";
import { mailEdgesOf, type MailEdge } from "../facts/mail-edges.ts";

export const noAaaaWithoutV6Edge = definePolicy({
  id: "no-aaaa-without-v6-edge",
  description: "The host of an MX record has an AAAA record only where the edge takes mail over IPv6.",
  severity: "high",
  lesson: 17,
  enforcementLevel: "mandatory",
  remediation: "Delete the AAAA record of the MX's host, or let the edge listen on that address first.",
  url: "https://www.rfc-editor.org/rfc/rfc5321#section-5.1",
  why: "a sender that has IPv6 tries the AAAA first, and mail of one that does not try IPv4 after it bounces",
  portable: true,
  judgeStack,
});

/** An AAAA record of a host to which an MX record points. */
interface Published {
  readonly host: string;
  readonly mx: OwnedSet;
  readonly aaaa: OwnedSet;
}

function publishedOf(mx: readonly OwnedSet[], names: ByName): Published[] {
  const seen = new Map<OwnedSet, Published>();
  for (const set of mx)
    for (const { text } of set.values) {
      const host = hostIn(set, text) ?? "";
      for (const aaaa of setsOf(names, host, set.zone))
        if (aaaa.type === "AAAA" && !seen.has(aaaa)) seen.set(aaaa, { host, mx: set, aaaa });
    }
  return [...seen.values()];
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  const mx = sets.filter(({ type }) => type === "MX");
  const hasAaaa = sets.some(({ type }) => type === "AAAA");
  if (mx.length === 0 || !hasAaaa) return { notApplicable: "no MX and AAAA record is in the stack" };
  const names = byName(sets);
  const published = publishedOf(mx, names);
  const edges = mailEdgesOf(resources);
  const only = new Set(mx.flatMap((set) => set.values.map(({ text }) => hostIn(set, text)))).size === 1;
  const open = edges.length > 0 && edges.every(({ takesIPv6 }) => takesIPv6 === false) ? mx : [];
  return merge(
    ...published.map((one) => judgePublished(one, edges, names, only)),
    unjudged(...open.flatMap((set) => set.gaps.map((gap) => ({ ...gap, urn: set.resource.urn })))),
  );
}

/** @param only whether the stack's MX records name one host alone */
function judgePublished(
  { host, mx, aaaa }: Published,
  edges: readonly MailEdge[],
  names: ByName,
  only: boolean,
): Judgement {
  const { urn } = aaaa.resource;
  const where = aaaa.values[0]?.where ?? aaaa.gaps[0]?.where ?? "name";
  const notJudged = (because: string): Judgement => unjudged({ where, because, urn });
  if (edges.some(({ takesIPv6 }) => takesIPv6)) return PASS;
  const unread = edges.find(({ takesIPv6 }) => takesIPv6 === undefined);
  if (unread)
    return notJudged(`is of ${host}, an MX's host; whether ${nameOf(unread)} takes IPv6 is not known`);
  const [edge] = edges;
  if (!edge)
    return notJudged(`is of ${host}, an MX's host, and no edge in the stack tells whether it takes IPv6`);
  const isItsHost = leadsTo(edges, setsOf(names, host, mx.zone));
  if (isItsHost === false || (isItsHost === undefined && !only))
    return notJudged(
      `is of ${host}, an MX's host, and the stack does not tell whether that is ${nameOf(edge)}`,
    );
  const what = `gives ${host}, to which the MX record ${mx.resource.name} points, an IPv6 address, while ${nameOf(edge)} takes mail over IPv4 alone`;
  return refuse({
    where,
    what,
    instead:
      "no AAAA record of this name until the edge listens on IPv6; one at the domain itself does no harm",
    urn,
  });
}

const nameOf = ({ resource, where }: MailEdge): string => `${resource.name} (${where})`;

/** Whether the A records of a host are an edge's; undefined where addresses do not tell. */
function leadsTo(edges: readonly MailEdge[], sets: readonly OwnedSet[]): boolean | undefined {
  const own = sets.filter(({ type }) => type === "A").flatMap(({ values }) => values.map(({ text }) => text));
  if (edges.some(({ address }) => address !== undefined && own.includes(address))) return true;
  return own.length > 0 && edges.every(({ address }) => address !== undefined) ? false : undefined;
}
