import { merge, PASS, refuse, unknown } from "../framework/judgement.ts";
import { definePolicy, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { CONTAINER, publishedPortsOf, roleOf } from "../facts/docker/containers.ts";

export const noPublishedPortsOnNamespace = definePolicy({
  id: "no-published-ports-on-namespace",
  description: "The namespace that anchor, sidecar and Stalwart share publishes no port on its host.",
  severity: "critical",
  enforcementLevel: "mandatory",
  remediation: "Take the published ports away; let the edge reach Stalwart over the tailnet.",
  url: "https://docs.docker.com/engine/network/port-publishing/",
  why: "a published port is open to the internet whatever the host's firewall says, and PROXY headers could then be forged by anybody",
  portable: false,
  resourceTypes: [CONTAINER],
  judgeResource: judge,
});

/** Whoever shares the namespace; the edge publishes nothing either, but is there to be reached. */
const ROLES: readonly unknown[] = ["anchor", "sidecar", "stalwart"];

/** The ports that a container of the shared namespace publishes on its host. */
function judge(container: PolicyResource): Verdict {
  const role = roleOf(container);
  if (role.known && !ROLES.includes(role.value))
    return { notApplicable: `the container has no label tailwart.role of ${ROLES.join(", ")}` };
  const { published, unread } = publishedPortsOf(container);
  // Without a port the container is fine whatever it is for.
  if (!role.known) return published.length + unread.length > 0 ? unknown("labels") : PASS;
  const findings = published.map((where) => ({
    where,
    what: `publishes Stalwart's namespace on the ${String(role.value)}'s host, past the edge and the tailnet's grants`,
    instead: "no port here: the edge listens in public and dials Stalwart's MagicDNS name",
  }));
  return merge(refuse(...findings), unknown(...unread));
}
