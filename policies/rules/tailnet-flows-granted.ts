import { rulesOf, type PolicyDocument } from "../../lib/tailnet/access-rules.ts";
import { reaches, whoReaches, type Party } from "../../lib/tailnet/reach.ts";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import type { Connection } from "../facts/caddy/upstreams.ts";
import { connectionsOf, unknownConnections } from "../facts/connections.ts";
import { CONTAINER } from "../facts/docker/containers.ts";
import { isOwn, MAIL_SETTINGS, SETTINGS, TAILNET_POLICY } from "../facts/own-resources.ts";
import { listenersOf } from "../facts/stalwart/http-listeners.ts";
import { tailnetOf, type Tailnet, type TailnetSettings } from "../facts/tailnet/nodes.ts";
import { ACL, readPolicyFile } from "../facts/tailnet/policy-file.ts";

const ID = "tailnet-flows-granted";

export const tailnetFlowsGranted = definePolicy<TailnetSettings>({
  id: ID,
  description: "Every connection that the stack opens over the tailnet is granted, in that direction.",
  severity: "high",
  lesson: 11,
  enforcementLevel: "mandatory",
  remediation: "Grant the source's tag each destination and port that it connects to.",
  url: "https://tailscale.com/kb/1324/grants",
  why: "the tailnet drops in silence what no grant opens, and a grant to reach a node does not let that node reach anything",
  settings: {
    schema: {
      properties: {
        hosts: tagMapSchema("Name on the tailnet → the tag that its node carries."),
        sources: tagMapSchema("Container's name → the tag of the node that it connects through."),
      },
    },
    parse: parseFlowSettings,
  },
  portable: true,
  judgeStack,
});

interface Need extends Connection {
  readonly urn: string;
  readonly from: Party;
  readonly to: Party;
  /** True when it may go to a container of another stack as well. */
  readonly unsure?: true;
}

const grantOf = (src: string, dst: string, port: number): string =>
  `{ "src": [${JSON.stringify(src)}], "dst": [${JSON.stringify(dst)}], "ip": ["tcp:${port}"] } among the grants`;

const sourceName = ({ tags }: Party): string => tags?.join(" and ") ?? "its node";
const sources = ({ tags }: Party): string => tags?.[0] ?? "tag:<its node's>";

/** Lesson 11: a node that may be reached looks as if it could also reach others. */
function whatIsMissing(document: PolicyDocument, { from, to }: Need): string {
  const opposite = reaches(document, { src: to, dst: from });
  if (opposite.answer === "yes") return `only the opposite direction is granted (${opposite.rule})`;
  const named = (tag: string, side: "src" | "dst"): boolean =>
    rulesOf(document).some((rule) =>
      side === "src" ? rule.src.includes(tag) : rule.destinations.some(({ selector }) => selector === tag),
    );
  const { tags = [] } = from;
  return tags.some((tag) => named(tag, "dst")) && !tags.some((tag) => named(tag, "src"))
    ? `${tags.join(" and ")} stands in the grants as a destination only`
    : "no grant opens that";
}

function judgeNeed(document: PolicyDocument, need: Need): Judgement {
  const { where, urn, from, to, port, role } = need;
  const host = need.quiet ? "its host" : need.host;
  const { answer, because, byAddress, rule } = reaches(document, { src: from, dst: to, port });
  if (answer === "yes") return PASS;
  if (answer === "maybe" && !(byAddress && from.tags && to.tags)) {
    const hints = [
      ...(from.tags ? [] : [` (${ID}.sources in the policy config names the node it connects through)`]),
      ...(to.tags ? [] : [` (${ID}.hosts in the policy config names a host's tag)`]),
    ];
    const text = need.quiet ? because?.replaceAll(need.host, "its host") : because;
    return unjudged({ where: `${where} ${host}:${port}`, because: `${text}${hints[0] ?? ""}`, urn });
  }
  if (need.unsure) {
    const because = `the name is a node's or, since containerboot leaves Docker's resolver as it is (TS_ACCEPT_DNS), a container's of another stack; ${ID}.hosts in the policy config says which`;
    return unjudged({ where: `${where} ${host}:${port}`, because, urn });
  }
  const missing = byAddress
    ? `only ${rule} may open that, by an address, which is another one when the node registers again`
    : whatIsMissing(document, need);
  const what = `needs ${sourceName(from)} to reach ${host}:${port}, ${role}, and ${missing}`;
  const instead = grantOf(sources(from), to.tags?.[0] ?? "tag:<that node's>", port);
  return refuse({ where, what, instead, urn });
}

function judgeListeners(
  document: PolicyDocument,
  settings: PolicyResource,
  tailnet: Tailnet,
  seen: Set<number>,
): Judgement {
  const { tags } = tailnet.sourceOf(settings);
  const judged = listenersOf(settings).map(({ where, port }) => {
    if (seen.has(port)) return PASS;
    seen.add(port);
    const visitors = whoReaches(document, tags ? { tags } : {}, port).filter(
      ({ src }) => !tags?.includes(src),
    );
    if (visitors.some(({ answer }) => answer === "yes")) return PASS;
    const [perhaps] = visitors;
    if (perhaps) return unjudged({ where, because: perhaps.because ?? "" });
    const what = `listens for operators on port ${port}, which no grant lets anybody reach`;
    const instead = grantOf("autogroup:admin", sources(tags ? { tags } : {}), port);
    return refuse({ where, what, instead });
  });
  return at(settings.urn, merge(...judged));
}

const mayConnect = (resource: PolicyResource): boolean =>
  resource.type === CONTAINER ||
  resource.type.startsWith("command:") ||
  (isOwn(resource) && resource.type !== TAILNET_POLICY);
/** What takes effect first: a component's args say the same once more. */
const rank = ({ type }: PolicyResource): number =>
  type === SETTINGS ? 0 : type === CONTAINER ? 1 : type.startsWith("command:") ? 2 : 3;

function needsOf(resource: PolicyResource, tailnet: Tailnet): Need[] {
  const dials = connectionsOf(resource);
  if (dials.length === 0) return [];
  const { tags: source, offline } = tailnet.sourceOf(resource);
  if (offline) return [];
  return dials.flatMap((dial) => {
    const leads = tailnet.leadsTo(dial.host, resource);
    if (leads === "no") return [];
    const tags = tailnet.tagsOf(dial.host);
    const from = source ? { tags: source } : {};
    const to = { host: dial.host, ...(tags && { tags }) };
    return [{ ...dial, urn: resource.urn, from, to, ...(leads === "maybe" && { unsure: true as const }) }];
  });
}

function judgeStack(resources: readonly PolicyResource[], settings: TailnetSettings): Verdict {
  const acl = resources.find(({ type }) => type === ACL);
  if (!acl) return { notApplicable: "the stack has no tailnet policy file (tailscale.Acl) to judge by" };
  const carriers = resources.filter(mayConnect).toSorted((a, b) => rank(a) - rank(b));
  const tailnet = tailnetOf(resources, settings);
  const all = carriers.flatMap((resource) => needsOf(resource, tailnet));
  const needs = [
    ...new Map(
      all.toReversed().map((need) => [JSON.stringify([need.from, need.to, need.port]), need]),
    ).values(),
  ].toReversed();
  const stalwarts = carriers.filter(({ type }) => type === SETTINGS || type === MAIL_SETTINGS);
  const gaps = carriers.flatMap((resource) =>
    unknownConnections(
      resource,
      resource.type === CONTAINER && tailnet.sourceOf(resource).tags !== undefined,
    ),
  );
  if (needs.length + stalwarts.length + gaps.length === 0)
    return { notApplicable: "nothing in the stack connects over the tailnet" };
  const reading = readPolicyFile(acl);
  if ("because" in reading) return unjudged({ where: "acl", because: reading.because, urn: acl.urn });
  const { document } = reading;
  const seen = new Set<number>();
  return merge(
    ...needs.map((need) => judgeNeed(document, need)),
    ...stalwarts.map((one) => judgeListeners(document, one, tailnet, seen)),
    unjudged(...gaps),
  );
}

function tagMap(raw: Record<string, unknown>, key: string, example: string): Record<string, string> {
  const map = raw[key] ?? {};
  const entries = typeof map === "object" && !Array.isArray(map) ? Object.entries(map as object) : undefined;
  if (!entries?.every(([, tag]) => typeof tag === "string" && /^tag:[a-z][a-z0-9-]*$/i.test(tag)))
    throw wrongSetting(`${ID}.${key}`, "an object of tags", example);
  return Object.fromEntries(entries as [string, string][]);
}

/** Reads the policy's config. */
export function parseFlowSettings(raw: Record<string, unknown>): TailnetSettings {
  refuseUnknownKeys(ID, raw, ["hosts", "sources"]);
  return {
    hosts: tagMap(raw, "hosts", '{"mailbox.tail7b1641.ts.net": "tag:mail"}'),
    sources: tagMap(raw, "sources", '{"caddy": "tag:reverse-proxy"}'),
  };
}

function tagMapSchema(description: string) {
  return {
    type: "object" as const,
    additionalProperties: { type: "string" as const },
    description,
  };
}
