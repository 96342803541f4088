import { notPublic } from "../../lib/address-ranges.ts";
import { classifyHost, isMagicDnsName } from "../../lib/addresses.ts";
import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { readString } from "../framework/values.ts";
import { byName, madeZoneOf, mayBeAnswered, setsOf, type ByName } from "../facts/dns/lookup.ts";
import { RECORD_TYPES } from "../facts/dns/record-kinds.ts";
import { judgeSets, NO_RECORD, type RecordSet, type RecordValue } from "../facts/dns/records.ts";
import { hostIn, recordsOfStack, type OwnedSet, type Zone } from "../facts/dns/zones.ts";
import { tailnetDomains } from "../facts/tailnet/policy-file.ts";

export const mxPointsAtEdge = definePolicy({
  id: "mx-points-at-edge",
  description: "An MX record names a host that has addresses of its own, which the internet reaches.",
  severity: "critical",
  enforcementLevel: "mandatory",
  remediation:
    "Name the edge's host in the MX record, and give that name an A record with its public address.",
  url: "https://www.rfc-editor.org/rfc/rfc5321#section-5.1",
  why: "a sender looks the addresses of an MX's host up and takes no other way: mail that finds none waits for days and bounces",
  portable: true,
  resourceTypes: RECORD_TYPES,
  judgeResource,
  judgeStack,
});

const INSTEAD =
  "the edge's name, such as mail.example.org, which has an A record with the address that the internet reaches";
const isNull = ({ text }: RecordValue): boolean => text === ".";

/** What a name or address says by itself. */
function judgeHost({ where, text }: RecordValue): Judgement {
  const kind = classifyHost(text);
  if (kind !== "name" && kind !== "invalid")
    return refuse({ where, what: `is ${text}, an address, and an MX record takes a name`, instead: INSTEAD });
  if (/\.ts\.net\.?$/i.test(text))
    return refuse({ where, what: `is ${text}, a name that only the tailnet knows`, instead: INSTEAD });
  return PASS;
}

function besideNull(where: string): Judgement {
  const what = "says that the domain takes no mail (RFC 7505), beside an MX record that names a host";
  return refuse({
    where,
    what,
    instead: "either the one or the other: no record with `.` where mail is taken",
  });
}

function judgeResource(resource: PolicyResource): Verdict {
  return judgeSets(resource, judgeSet);
}

function judgeSet(set: RecordSet): Verdict {
  if (set.type !== undefined && set.type !== "MX") return NO_RECORD;
  if (set.type === undefined) return unknown("type");
  const none = set.values.find(isNull);
  const judged = set.values.filter((value) => !isNull(value)).map(judgeHost);
  return merge(...judged, none && judged.length > 0 ? besideNull(none.where) : PASS, unjudged(...set.gaps));
}

/** What the stack tells of the hosts that MX records name. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const sets = recordsOfStack(resources);
  const mx = sets.filter(({ type }) => type === "MX");
  if (mx.length === 0) return NO_RECORD;
  const stack: Stack = {
    names: byName(sets),
    zoneOf: madeZoneOf(sets),
    // What these hold could be any name's.
    open: sets.filter(({ whole }) => !whole),
    domains: tailnetDomains(resources),
  };
  const hosts = mx.flatMap((set) =>
    set.values.filter((value) => !isNull(value)).map((value) => judgeTarget(set, value, stack)),
  );
  return merge(...hosts, ...judgeNulls(mx));
}

interface Stack {
  readonly names: ByName;
  readonly zoneOf: (name: string) => Zone | undefined;
  readonly open: readonly OwnedSet[];
  readonly domains: readonly string[];
}

/** A null MX in one resource, and a host in another one of the same name. */
function judgeNulls(mx: readonly OwnedSet[]): Judgement[] {
  const named = mx.filter(({ owner }) => owner !== undefined);
  const places = Map.groupBy(named, ({ zone, owner, variant }) => [zone.key, owner, variant].join(" "));
  return [...places.values()].flatMap((all) =>
    all.flatMap((set) => {
      const none = set.values.find(isNull);
      const other = all.some((one) => one !== set && one.values.some((value) => !isNull(value)));
      return none && other ? [of(set, besideNull(none.where))] : [];
    }),
  );
}

const of = ({ resource: { urn } }: RecordSet, { findings, notJudged }: Judgement): Judgement => ({
  findings: findings.map((finding) => ({ urn, ...finding })),
  notJudged: notJudged.map((gap) => ({ urn, ...gap })),
});

function judgeTarget(mx: OwnedSet, value: RecordValue, stack: Stack): Judgement {
  const host = hostIn(mx, value.text);
  if (host === undefined || classifyHost(host) !== "name" || host.endsWith(".ts.net")) return PASS;
  const { where } = value;
  if (host.includes(".") && stack.domains.some((domain) => isMagicDnsName(host, domain)))
    return of(
      mx,
      refuse({ where, what: `is ${host}, a name that only the tailnet knows`, instead: INSTEAD }),
    );
  const sets = setsOf(stack.names, host, mx.zone);
  const alias = sets.find((set) => set.type === "CNAME" && !isFlattened(set, mx));
  if (alias) {
    const what = `is ${host}, a CNAME (${alias.resource.name}), and an MX record names a host by its own name (RFC 2181 §10.3)`;
    return of(
      mx,
      refuse({ where, what, instead: "the name that the CNAME leads to, or an A record in place of it" }),
    );
  }
  const addresses = sets.filter(({ type }) => type === "A" || type === "AAAA");
  return of(
    mx,
    merge(
      ...addresses.map((set) => judgeAddresses(mx, value, host, set)),
      sets.some(({ type }) => type === "A" || type === "CNAME" || type === undefined)
        ? PASS
        : judgeMissing(value, host, stack),
    ),
  );
}

/**
 * Cloudflare answers a CNAME at the zone's own name with the addresses that it leads to.
 *
 * @see https://developers.cloudflare.com/dns/cname-flattening/
 */
const isFlattened = ({ resource, owner, zone }: OwnedSet, mx: OwnedSet): boolean =>
  resource.type.startsWith("cloudflare:") && owner === (zone.name ?? mx.owner);

function judgeAddresses(mx: OwnedSet, { where }: RecordValue, host: string, set: OwnedSet): Judgement {
  const gaps = set.gaps.map((gap) => ({ ...gap, urn: set.resource.urn }));
  // Inside a network its own addresses are right.
  if (mx.zone.isPublic === false) return PASS;
  const judged = set.values.map(({ text }) => {
    const kind = notPublic(text);
    if (kind === undefined) return PASS;
    if (set.zone.isPublic === undefined)
      return unjudged({
        where,
        because: `${host} has ${text}, which is right in a private zone; the stack does not tell whether this is one`,
      });
    const what = `is ${host}, whose ${set.type} record (${set.resource.name}) is ${text}, an address of ${kind}`;
    return refuse({ where, what, instead: INSTEAD });
  });
  return merge(...judged, unjudged(...gaps));
}

/** A host without addresses, in a zone that the stack makes. */
function judgeMissing({ where }: RecordValue, host: string, stack: Stack): Judgement {
  const zone = stack.zoneOf(host);
  if (!zone || mayBeAnswered(stack.names, host, zone) || hasOwnAddress(zone, host)) return PASS;
  const provider = zone.resource?.type.split(":")[0];
  const open = stack.open.find(({ resource }) => resource.type.split(":")[0] === provider);
  if (open) {
    const because = `has no A record in the stack's zone ${zone.name}, unless ${open.resource.name} is one: its name or its zone's is not known`;
    return unjudged({ where, because });
  }
  const what = `is ${host}, which has no A record in the zone ${zone.name} of this stack`;
  return refuse({ where, what, instead: INSTEAD });
}

/** DigitalOcean makes an A record for the domain itself by an input of the domain. */
function hasOwnAddress({ name, resource }: Zone, host: string): boolean {
  const address = readString(resource?.props, ["ipAddress"]);
  return host === name && (!address.known || (address.value ?? "") !== "");
}
