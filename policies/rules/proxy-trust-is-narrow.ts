import { TAILNET_RANGES } from "../../lib/address-ranges.ts";
import type { PolicyDocument } from "../../lib/tailnet/access-rules.ts";
import { whoReaches } from "../../lib/tailnet/reach.ts";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { definePolicy, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import {
  covers,
  coverTogether,
  networks,
  overlaps,
  parseNetwork,
  type AddressRange,
} from "../facts/stalwart/networks.ts";
import { proxyOf, type Written } from "../facts/stalwart/proxy.ts";
import { ACL, askerTags, readPolicyFile } from "../facts/tailnet/policy-file.ts";

const ID = "proxy-trust-is-narrow";

export const proxyTrustIsNarrow = definePolicy<TrustSettings>({
  id: ID,
  description: "Only the edge can send a PROXY header that Stalwart believes.",
  severity: "critical",
  lesson: 3,
  enforcementLevel: "mandatory",
  remediation:
    "Trust the tailnet's ranges or the edge's private network, and grant the ports with PROXY protocol to the edge's tag alone.",
  url: "https://stalw.art/docs/0.15/server/reverse-proxy/proxy-protocol/",
  why: "whoever is trusted writes the client's address himself, past bans, rate limits and SPF, and a trusted peer that sends no header is dropped",
  settings: {
    schema: {
      properties: {
        edgeTag: {
          type: "string",
          description: "Tag of the edge; it alone may reach Stalwart's ports with PROXY protocol.",
        },
      },
    },
    parse: parseTrustSettings,
  },
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource,
  judgeStack,
});

const LOOPBACK = networks("127.0.0.0/8", "::1");
const TAILNET = networks(...TAILNET_RANGES);
/** Private (RFC 1918), shared (RFC 6598: the tailnet's too), link-local and unique local. */
const PRIVATE = networks(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
);
const INSTEAD = `the tailnet's ranges ${TAILNET_RANGES.join(" and ")}, which grants make narrow, or the edge's own private network`;

export interface TrustSettings {
  /** The tag that alone may reach ports with PROXY protocol. */
  readonly edgeTag: string;
}

/** Checks the policy's config; throws a sentence that names the key's path. */
export function parseTrustSettings(raw: Record<string, unknown>): TrustSettings {
  refuseUnknownKeys(ID, raw, ["edgeTag"]);
  const { edgeTag = "tag:reverse-proxy" } = raw;
  if (typeof edgeTag !== "string" || !/^tag:[a-zA-Z][\w-]*$/.test(edgeTag))
    throw wrongSetting(`${ID}.edgeTag`, "a tag of the tailnet", '"tag:reverse-proxy"');
  return { edgeTag };
}

function mistakeIn(range: AddressRange): string | undefined {
  if (LOOPBACK.some((loopback) => covers(loopback, range)))
    return "trusts loopback, so Stalwart demands a PROXY header of its own health check and of the watch";
  if (coverTogether(PRIVATE, range)) return undefined;
  const also = LOOPBACK.some((loopback) => overlaps(loopback, range)) ? ", and loopback with them" : "";
  return `trusts public addresses${also}, so whoever connects from there can claim to be any client`;
}

/** Each network by itself. */
function judgeResource(resource: PolicyResource): Verdict {
  const proxy = proxyOf(resource);
  if (!proxy) return { notApplicable: "only Stalwart's settings say whose PROXY headers are trusted" };
  const judged = proxy.trust.entries.map(({ where, text }) => {
    const range = parseNetwork(text);
    if (!range) return unjudged({ where, because: "is no address and no CIDR range" });
    const what = mistakeIn(range);
    return what === undefined ? PASS : refuse({ where, what, instead: INSTEAD });
  });
  return merge(unjudged(...proxy.trust.gaps), ...judged);
}

/** True for trust in the tailnet at large: one node of it is another rule's matter. */
function isTailnetAtLarge({ text }: Written): boolean {
  const range = parseNetwork(text);
  return (
    range !== undefined && range.from !== range.to && TAILNET.some((tailnet) => overlaps(range, tailnet))
  );
}

/** What a rule of the tailnet policy file opens to one source. */
interface Opening {
  readonly rule: string;
  readonly src: string;
  readonly ports: readonly number[];
  /** Why it is not certain; unset where it is. */
  readonly because?: string;
}

/** Who but the edge reaches the ports: one entry for each rule and source. */
function openingsTo(
  document: PolicyDocument,
  { tags, ports, edgeTag }: { tags: readonly string[]; ports: readonly number[]; edgeTag: string },
): Opening[] {
  const openings = new Map<string, Opening>();
  for (const port of ports) {
    for (const { src, rule, answer, because = "cannot be told" } of whoReaches(document, tags, port)) {
      if (src === edgeTag) continue;
      const key = `${rule} ${src} ${answer}`;
      const reached = [...(openings.get(key)?.ports ?? []), port];
      openings.set(key, { rule, src, ports: reached, ...(answer === "maybe" && { because }) });
    }
  }
  return [...openings.values()];
}

/** Trust in the whole tailnet is narrow only where grants make it so (decision 8). */
function judgeStack(resources: readonly PolicyResource[], { edgeTag }: TrustSettings): Verdict {
  const trusting = resources.flatMap((resource) => {
    const [first, ...rest] = proxyOf(resource)?.trust.entries.filter(isTailnetAtLarge) ?? [];
    if (!first) return [];
    return [{ where: first.where, ports: [first, ...rest].flatMap((one) => one.ports), urn: resource.urn }];
  });
  if (trusting.length === 0) return { notApplicable: "no settings of the stack trust the tailnet at large" };
  const open = (because: string) => unjudged(...trusting.map(({ where, urn }) => ({ where, because, urn })));
  const acl = resources.find((resource) => resource.type === ACL);
  if (!acl)
    return open("the stack has no tailnet policy file (tailscale.Acl) that says who reaches the ports");
  const reading = readPolicyFile(acl);
  if ("because" in reading) return open(reading.because);
  const tags = [...askerTags(resources)].filter((tag) => tag !== edgeTag);
  if (tags.length === 0) return open("the stack does not tell which tag Stalwart's node carries");
  const ports = [...new Set(trusting.flatMap((one) => one.ports))].sort((a, b) => a - b);
  if (ports.length === 0) return open("the stack does not tell which ports Stalwart listens on");

  const judged = openingsTo(reading.document, { tags, ports, edgeTag }).map(
    ({ rule, src, ports: reached, because }) => {
      if (because !== undefined) return unjudged({ where: `acl ${rule} (${src})`, because });
      const what = `lets ${src} reach ${tags.join(", ")} on tcp ${reached.join(", ")}, where Stalwart believes any node of the tailnet's PROXY header`;
      const instead = `${edgeTag} as the only source for these ports`;
      return refuse({ where: `acl ${rule}`, what, instead });
    },
  );
  return at(acl.urn, merge(...judged));
}
