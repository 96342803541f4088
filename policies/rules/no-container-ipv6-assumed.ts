import { isIP } from "node:net";

import { PASS, unjudged } from "../framework/judgement.ts";
import { definePolicy, type NotJudged, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { namespaceIpv6 } from "../facts/docker/namespace-network.ts";
import { REGISTRY, SETTINGS } from "../facts/own-resources.ts";
import { stalwartKeys } from "../facts/stalwart/flat-keys.ts";
import { registryIpv6, type Ipv6Use } from "../facts/stalwart/registry-ipv6.ts";

/** Settings and network are two resources. IPv6 of the host says nothing of the container. */
export const noContainerIpv6Assumed = definePolicy({
  id: "no-container-ipv6-assumed",
  description: "Stalwart sends over IPv6 only where the network that it lives in has IPv6.",
  severity: "medium",
  lesson: 9,
  enforcementLevel: "mandatory",
  remediation:
    "Look up IPv4 first and send from IPv4 addresses; or give the anchor's network IPv6, and test it from inside the container.",
  url: "https://docs.docker.com/engine/daemon/ipv6/",
  why: "IPv6 of the host does not reach a container by itself, and each attempt then fails with `Network is unreachable`",
  portable: false,
  judgeStack,
});

/** Where settings count on IPv6. A relay always looks up A first, so only mx routes matter. */
function usesOf(resource: PolicyResource): { uses: Ipv6Use[]; gaps: NotJudged[] } {
  const { urn } = resource;
  const { values, gaps: unknown, where } = stalwartKeys(resource);
  const uses: Ipv6Use[] = [];
  const gaps: NotJudged[] = [];
  const unknownKeys = new Set(unknown.map(({ key }) => key));
  const typeKey = (key: string): string => key.replace(/\.ip-lookup$/, ".type");
  const isLookup = (key: string): boolean => /^queue\.route\..+\.ip-lookup$/.test(key);
  const isSource = (key: string): boolean => /^queue\.connection\..+\.source-ips(?:\.|$)/.test(key);
  for (const [key, value] of values) {
    if (isLookup(key) && /^ipv6_(?:only|then_ipv4)$/.test(value.trim())) {
      const type = typeKey(key);
      if (unknownKeys.has(type))
        gaps.push({
          where: where(type),
          because: "whether the route is of type mx is unknown until the update",
          urn,
        });
      if (values.get(type)?.trim() !== "mx") continue;
      const what = value.trim() === "ipv6_only" ? "asks for IPv6 addresses alone" : "prefers IPv6 addresses";
      uses.push({ where: where(key), what, instead: "ipv4_only, or ipv4_then_ipv6", urn });
    } else if (isSource(key) && isIP(value.trim()) === 6) {
      uses.push({
        where: where(key),
        what: "is an IPv6 address to send from",
        instead: "IPv4 source addresses, or none",
        urn,
      });
    }
  }
  for (const { key, where: place, because } of unknown) {
    const type = key === undefined ? undefined : values.get(typeKey(key))?.trim();
    const inert = key !== undefined && isLookup(key) && type !== undefined && type !== "mx";
    if (key === undefined || isSource(key) || (isLookup(key) && !inert))
      gaps.push({ where: place, because, urn });
  }
  return { uses, gaps };
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const all = resources.flatMap((resource) =>
    resource.type === SETTINGS ? usesOf(resource) : resource.type === REGISTRY ? registryIpv6(resource) : [],
  );
  if (all.length === 0) return { notApplicable: "the stack has no settings of Stalwart" };
  const uses = all.flatMap((one) => one.uses);
  const gaps = all.flatMap((one) => one.gaps);
  const ipv6 = uses.length + gaps.length > 0 ? namespaceIpv6(resources) : { has: "yes" as const };
  if (ipv6.has === "yes") return PASS;
  if (ipv6.has === "unknown")
    return unjudged(...uses.map(({ where, urn }) => ({ where, because: ipv6.because, urn })), ...gaps);
  return {
    findings: uses.map((use) => ({ ...use, what: `${use.what}, while ${ipv6.since}` })),
    notJudged: gaps,
  };
}
