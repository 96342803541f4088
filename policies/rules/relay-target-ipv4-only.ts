import { classifyHost } from "../../lib/addresses.ts";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { isServerAddress, refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { relayHostsOf, type RelayHost } from "../facts/relays/relay-hosts.ts";
import { askAaaa } from "../facts/resolver.ts";
import {
  askerTags,
  attributeReaches,
  isTailnetName,
  readAcl,
  relayTags,
  tailnetDomains,
} from "../facts/tailnet/policy-file.ts";

const ID = "relay-target-ipv4-only";

export const relayTargetIpv4Only = definePolicy<RelayTargetSettings>({
  id: ID,
  description: "Mail is relayed to hosts that are reached over IPv4 alone.",
  severity: "high",
  lesson: 8,
  enforcementLevel: "mandatory",
  remediation:
    "Name a relay that has no AAAA record: its MagicDNS name, an IPv4-only name or an IPv4 literal.",
  url: "https://tailscale.com/kb/1081/magicdns",
  why: "the container's namespace has no IPv6, and a relay is not tried again over IPv4 after `Network is unreachable`",
  settings: {
    schema: {
      properties: {
        resolver: {
          type: "string",
          description: "Resolver to ask for AAAA records, address[:port]. Unset: no request is made.",
        },
        timeoutMs: {
          type: "integer",
          minimum: 100,
          maximum: 10_000,
          description: "Deadline of one question in milliseconds.",
        },
        tailnetDomains: {
          type: "array",
          items: { type: "string" },
          description: "DNS names of the tailnet, besides *.ts.net.",
        },
      },
    },
    parse: parseRelayTargetSettings,
  },
  portable: true,
  judgeResource,
  judgeStack,
});

const INSTEAD =
  "the relay's MagicDNS name (it answers A only), a name with an A record only, or an IPv4 literal";

export interface RelayTargetSettings {
  /** Resolver to ask for AAAA records, `address[:port]`. None: no request is made. */
  readonly resolver: string | undefined;
  readonly timeoutMs: number;
  readonly tailnetDomains: readonly string[];
}

/** Checks the policy's config; throws a sentence that names the key's path. */
export function parseRelayTargetSettings(raw: Record<string, unknown>): RelayTargetSettings {
  refuseUnknownKeys(ID, raw, ["resolver", "timeoutMs", "tailnetDomains"]);
  const { resolver, timeoutMs = 2000, tailnetDomains: domains = [] } = raw;
  if (resolver !== undefined && !(typeof resolver === "string" && isServerAddress(resolver))) {
    throw wrongSetting(`${ID}.resolver`, "an address with an optional port", '"203.0.113.1:53"');
  }
  if (
    typeof timeoutMs !== "number" ||
    !Number.isInteger(timeoutMs) ||
    timeoutMs < 100 ||
    timeoutMs > 10_000
  ) {
    throw wrongSetting(`${ID}.timeoutMs`, "whole milliseconds from 100 to 10000", "2000");
  }
  const isDomain = (value: unknown): boolean =>
    typeof value === "string" && classifyHost(value) === "name" && value.includes(".");
  if (!Array.isArray(domains) || !domains.every(isDomain)) {
    throw wrongSetting(`${ID}.tailnetDomains`, "a list of DNS names", '["tail7b1641.ts.net"]');
  }
  return { resolver, timeoutMs, tailnetDomains: domains as string[] };
}

function judgeLiteral({ where, host }: RelayHost): Judgement {
  const kind = classifyHost(host);
  if (kind !== "ipv6" && kind !== "tailnet-ipv6") return PASS;
  return refuse({
    where,
    what: `relays to ${host.replace(/^\[|\]$/g, "")}, an IPv6 address`,
    instead: INSTEAD,
  });
}

/** A host whose text carries a login is not quoted. */
const shown = ({ host, quiet }: RelayHost): string => (quiet ? "its host" : host);

async function judgeRecords(relay: RelayHost, settings: RelayTargetSettings): Promise<Judgement> {
  const { where, host } = relay;
  const { resolver, timeoutMs } = settings;
  if (resolver === undefined || classifyHost(host) !== "name" || isTailnetName(host, settings.tailnetDomains))
    return PASS;
  const answer = await askAaaa(host, { resolver, timeoutMs });
  if (answer.kind !== "has") return PASS;
  const what = `relays to ${shown(relay)}, which has an AAAA record (${answer.address}, says ${resolver})`;
  return refuse({ where, what, instead: INSTEAD });
}

/** Literals, and records where a resolver is configured. judgeStack lists what is not judged. */
async function judgeResource(resource: PolicyResource, settings: RelayTargetSettings): Promise<Verdict> {
  const relays = relayHostsOf(resource);
  if (!relays)
    return { notApplicable: "only tailwart:mail:* resources, Docker containers and commands name a relay" };
  if (relays.hosts.length === 0 && relays.gaps.length === 0)
    return { notApplicable: "the resource names no relay" };
  const byRecord = await Promise.all(relays.hosts.map((relay) => judgeRecords(relay, settings)));
  return merge(...relays.hosts.map(judgeLiteral), ...byRecord, unjudged(...relays.gaps));
}

/**
 * What makes MagicDNS answer AAAA to the asker for the relay's node. By default it does not: a node
 * that has an IPv4 address of its own does not get the IPv6 addresses of peers that have one too.
 *
 * @see tailscale.com v1.102.5, ipn/ipnlocal/node_backend.go, magicDNSAddrs
 */
const AAAA_CAUSES = [
  { attribute: "magicdns-aaaa", on: "asker", effect: "makes MagicDNS answer AAAA to the node that asks" },
  { attribute: "disable-ipv4", on: "relay", effect: "leaves the relay's node without an IPv4 address" },
  { attribute: "disable-ipv4", on: "asker", effect: "leaves the node that asks without an IPv4 address" },
] as const;

/** A name of the tailnet, by the nodeAttrs of the tailnet policy file. */
function judgeTailnetName(relay: RelayHost, resources: readonly PolicyResource[]): Judgement {
  const { where } = relay;
  const host = shown(relay);
  const acl = readAcl(resources);
  if ("because" in acl) return unjudged({ where: `${where} ${host}`, because: acl.because });
  const asker = askerTags(resources);
  const tags = { asker, relay: relayTags(resources, acl.document, asker) };
  const judged = [...Map.groupBy(AAAA_CAUSES, ({ attribute }) => attribute)].map(([name, causes]) => {
    const reached = causes.map(({ on }) => attributeReaches(acl.document, name, tags[on]));
    const sure = causes[reached.indexOf("yes")];
    if (sure) {
      const what = `relays to ${host}, while the tailnet policy file's nodeAttrs set ${name}, which ${sure.effect}`;
      const instead = `take ${name} from the nodeAttrs that reach this node, or ${INSTEAD}`;
      return refuse({ where, what, instead });
    }
    const because = `nodeAttrs set ${name} for nodes whose tags the stack does not tell`;
    return reached.includes("maybe") ? unjudged({ where: `${where} ${host}`, because }) : PASS;
  });
  return merge(...judged);
}

/** A name, as far as judgeResource has not refused it. */
async function judgeName(
  relay: RelayHost,
  resources: readonly PolicyResource[],
  { resolver, timeoutMs, tailnetDomains: domains }: RelayTargetSettings,
): Promise<Judgement> {
  if (isTailnetName(relay.host, [...domains, ...tailnetDomains(resources)]))
    return judgeTailnetName(relay, resources);
  const where = `${relay.where} ${shown(relay)}`;
  if (resolver === undefined) {
    const because = `no resolver is configured to ask for AAAA records; ${ID}.resolver in the policy config turns it on`;
    return unjudged({ where, because });
  }
  const answer = await askAaaa(relay.host, { resolver, timeoutMs });
  return answer.kind === "unasked" ? unjudged({ where, because: answer.because }) : PASS;
}

async function judgeStack(
  resources: readonly PolicyResource[],
  settings: RelayTargetSettings,
): Promise<Verdict> {
  const relays = resources.flatMap((resource) => relayHostsOf(resource)?.hosts ?? []);
  const names = relays.filter((relay) => classifyHost(relay.host) === "name");
  const odd = relays.filter((relay) => classifyHost(relay.host) === "invalid");
  if (names.length + odd.length === 0) return { notApplicable: "no relay of the stack is named" };
  // The text itself is left out: what is no host name could be anything, a password too.
  const because = "is no host name that could be asked for";
  return merge(
    unjudged(...odd.map(({ where, urn }) => ({ where, because, urn }))),
    ...(await Promise.all(
      names.map(async (relay) => at(relay.urn, await judgeName(relay, resources, settings))),
    )),
  );
}
