import { TAILNET_RANGES } from "../../lib/address-ranges.ts";
import { at, gapAt, merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import {
  definePolicy,
  type Judgement,
  type NotJudged,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { read } from "../framework/values.ts";
import { EDGE, SETTINGS_TYPES } from "../facts/own-resources.ts";
import { coverTogether, parseNetwork } from "../facts/stalwart/networks.ts";
import { proxyOf, type ProxySettings } from "../facts/stalwart/proxy.ts";

const ID = "edge-never-banned";

export const edgeNeverBanned = definePolicy<EdgeSettings>({
  id: ID,
  description: "Stalwart's allow-list holds the tailnet's range and the edge's public address.",
  severity: "high",
  lesson: 3,
  enforcementLevel: "mandatory",
  remediation: "Add 100.64.0.0/10 and the edge's public address to the allow-list (allowedIps).",
  url: "https://stalw.art/docs/0.15/server/auto-ban/",
  why: "a ban is checked against the client that the PROXY header names on mail ports, and against the edge itself elsewhere: once banned, the edge still delivers mail and is cut from the admin listener",
  settings: {
    schema: {
      properties: {
        edgeAddresses: {
          type: "array",
          items: { type: "string" },
          description: "The edge's public addresses, where no resource of the stack states them.",
        },
      },
    },
    parse: parseEdgeSettings,
  },
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource,
  judgeStack,
});

const [TAILNET] = TAILNET_RANGES;

export interface EdgeSettings {
  /** Public addresses of the edge. None: a {@link EDGE} of the stack says its own. */
  readonly edgeAddresses: readonly string[];
}

/** Checks the policy's config; throws a sentence that names the key's path. */
export function parseEdgeSettings(raw: Record<string, unknown>): EdgeSettings {
  refuseUnknownKeys(ID, raw, ["edgeAddresses"]);
  const { edgeAddresses = [] } = raw;
  const isNetwork = (value: unknown): boolean =>
    typeof value === "string" && parseNetwork(value) !== undefined;
  if (!Array.isArray(edgeAddresses) || !edgeAddresses.every(isNetwork))
    throw wrongSetting(`${ID}.edgeAddresses`, "a list of addresses", '["198.51.100.7"]');
  return { edgeAddresses: edgeAddresses as string[] };
}

/** Whether the allow-list holds an address or range. */
function judgeWanted(
  { allowed, trust, inUse }: ProxySettings,
  wanted: { readonly text: string; readonly what: string },
): Judgement {
  const range = parseNetwork(wanted.text);
  const ranges = allowed.entries.flatMap((entry) => parseNetwork(entry.text) ?? []);
  if (inUse === false || !range || coverTogether(ranges, range)) return PASS;
  if (allowed.gaps.length > 0) return unjudged(...allowed.gaps);
  if (inUse === undefined) return unknown(trust.gaps[0]?.where ?? "settings.listeners");
  const what = `lacks ${wanted.text}, ${wanted.what}, while listeners demand PROXY headers`;
  const instead = `${wanted.text} among allowedIps (in keys: server.allowed-ip.${wanted.text})`;
  return refuse({ where: allowed.where, what, instead });
}

const ofEdge = (text: string) => ({ text, what: "the edge's public address" });

/** The tailnet's range, and the addresses that the policy config names. */
function judgeResource(resource: PolicyResource, { edgeAddresses }: EdgeSettings): Verdict {
  const proxy = proxyOf(resource);
  if (!proxy) return { notApplicable: "only Stalwart's settings have an allow-list" };
  const wanted = [
    { text: TAILNET, what: "the range that the edge's tailnet address is of" },
    ...edgeAddresses.map(ofEdge),
  ];
  const { findings, notJudged } = merge(...wanted.map((one) => judgeWanted(proxy, one)));
  return { findings, notJudged: [...new Map(notJudged.map((gap) => [gap.where, gap])).values()] };
}

interface Edges {
  readonly addresses: string[];
  readonly notJudged: NotJudged[];
}

/** The public addresses that the stack's edges state. */
function edgesOf(resources: readonly PolicyResource[]): Edges {
  const addresses: string[] = [];
  const notJudged: NotJudged[] = [];
  for (const { type, props, urn } of resources) {
    if (type !== EDGE) continue;
    const address = read(props, "wanAddress");
    if (!address.known) notJudged.push({ ...gapAt("wanAddress"), urn });
    else if (typeof address.value === "string" && parseNetwork(address.value)) addresses.push(address.value);
  }
  return { addresses, notJudged };
}

/** The edge's own address takes another resource to know. */
function judgeStack(resources: readonly PolicyResource[], { edgeAddresses }: EdgeSettings): Verdict {
  if (edgeAddresses.length > 0) return { notApplicable: "the policy config names the edge's addresses" };
  const users = resources.flatMap((resource) => {
    const proxy = proxyOf(resource);
    return proxy && proxy.inUse !== false ? [{ proxy, urn: resource.urn }] : [];
  });
  if (users.length === 0) return { notApplicable: "no listener of the stack demands PROXY headers" };
  const { addresses, notJudged } = edgesOf(resources);
  if (addresses.length + notJudged.length === 0) {
    const because = `no ${EDGE} states its wanAddress; ${ID}.edgeAddresses in the policy config names the edge's public address`;
    return unjudged(...users.map(({ proxy, urn }) => ({ where: proxy.allowed.where, because, urn })));
  }
  return merge(
    unjudged(...notJudged),
    ...users.flatMap(({ proxy, urn }) =>
      addresses.map((address) => at(urn, judgeWanted(proxy, ofEdge(address)))),
    ),
  );
}
