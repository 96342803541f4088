import { at, merge, PASS, refuse, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { read } from "../framework/values.ts";
import { CONTAINER, environmentOf, publishedPortsOf, roleOf } from "../facts/docker/containers.ts";

export const stalwartSharesAnchor = definePolicy({
  id: "stalwart-shares-anchor",
  description:
    "Stalwart and the sidecar join the anchor's network namespace by its id, all three always restart, and Stalwart's watch is on.",
  severity: "critical",
  lesson: 13,
  enforcementLevel: "mandatory",
  remediation:
    "Set networkMode of the sidecar and of Stalwart to `container:${anchor.id}`, restart to always on the three, and publish no port.",
  url: "https://docs.docker.com/engine/network/#container-networks",
  why: "a namespace dies with the container that made it and a name follows no replacement, so mail stays mute in a dead namespace; what has lost its connections ends itself and must be started again (lesson 16)",
  portable: false,
  judgeStack,
});

const BY_ID = "`container:${anchor.id}` with the id of the container that is labelled tailwart.role=anchor";

/** The stack's containers by what they are for. */
interface Parts {
  readonly anchors: readonly PolicyResource[];
  readonly sidecars: readonly PolicyResource[];
  readonly stalwarts: readonly PolicyResource[];
  /** Every container's name, as far as known. */
  readonly names: ReadonlySet<unknown>;
}

const anchorsBehind = (container: PolicyResource, { anchors }: Parts): PolicyResource[] =>
  (container.propertyDependencies?.["networkMode"] ?? []).filter((source) =>
    anchors.some((anchor) => anchor.urn === source.urn),
  );

/** What is wrong with a network mode, or undefined; "unknown" before the update. */
function mistakeOf(container: PolicyResource, parts: Parts): string | undefined {
  const mode = read(container.props, "networkMode");
  const fromAnchor = anchorsBehind(container, parts).length > 0;
  if (!mode.known) {
    // A name is known at preview, an id is not: what is unknown of the anchor is its id.
    if (fromAnchor) return undefined;
    return container.propertyDependencies?.["networkMode"]?.length
      ? "comes from a resource that is not the anchor"
      : "unknown";
  }
  const [, target] = /^container:(.+)$/.exec(String(mode.value ?? "")) ?? [];
  if (target === undefined) return "does not join the anchor's network namespace";
  if (parts.names.has(target) || !/^[0-9a-f]{12,64}$/.test(target)) return "joins a container by its name";
  return fromAnchor ? undefined : "joins a container by an id that does not come from the anchor";
}

function judgeMode(container: PolicyResource, parts: Parts): Judgement {
  const what = mistakeOf(container, parts);
  if (what === "unknown") return unknown("networkMode");
  return what === undefined ? PASS : refuse({ where: "networkMode", what, instead: BY_ID });
}

/** Two anchors, one for Stalwart and one for the sidecar, are two namespaces. */
function judgeSharing(stalwart: PolicyResource, parts: Parts): Judgement {
  const own = anchorsBehind(stalwart, parts);
  const sidecars = new Set(parts.sidecars.flatMap((sidecar) => anchorsBehind(sidecar, parts)));
  if (own.length === 0 || sidecars.size === 0 || own.some((anchor) => sidecars.has(anchor))) return PASS;
  const what = "joins another anchor than the sidecar does";
  return refuse({ where: "networkMode", what, instead: BY_ID });
}

function judgePorts(container: PolicyResource): Judgement {
  const { published, unread } = publishedPortsOf(container);
  const findings = published.map((where) => ({
    where,
    what: "publishes a port of its own, which a container in another's namespace cannot have",
    instead: "no port: the edge dials Stalwart's MagicDNS name",
  }));
  return merge(refuse(...findings), unknown(...unread));
}

function judgeRestart({ props }: PolicyResource): Judgement {
  const restart = read(props, "restart");
  if (!restart.known) return unknown("restart");
  if (restart.value === "always") return PASS;
  const what = 'is not "always", so the container may stay down when it has ended';
  return refuse({ where: "restart", what, instead: 'restart: "always"' });
}

/** A server whose connections stay at a lost address lives; only the watch sees that it is mute. */
function judgeWatch(stalwart: PolicyResource): Judgement {
  const { values, incomplete } = environmentOf(stalwart);
  const watch = values.get("TAILWART_WATCH");
  if (watch === undefined) return incomplete ? unknown("envs") : PASS;
  if (watch !== "off") return PASS;
  const what = "has TAILWART_WATCH=off, so a server that greets nobody is not started over (lesson 16)";
  return refuse({ where: "envs", what, instead: "TAILWART_WATCH=on" });
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const containers = resources.filter((resource) => resource.type === CONTAINER);
  const roles = new Map(containers.map((container) => [container, roleOf(container)]));
  const of = (role: string): PolicyResource[] =>
    containers.filter((container) => {
      const own = roles.get(container);
      return own?.known === true && own.value === role;
    });
  const names = containers
    .map(({ props }) => read(props, "name"))
    .flatMap((name) => (name.known ? [name.value] : []));
  const parts: Parts = {
    anchors: of("anchor"),
    sidecars: of("sidecar"),
    stalwarts: of("stalwart"),
    names: new Set(names),
  };
  const unlabelled = containers.filter((container) => roles.get(container)?.known === false);
  const joining = [...parts.sidecars, ...parts.stalwarts];
  if (joining.length + parts.anchors.length + unlabelled.length === 0)
    return { notApplicable: "the stack has no container with the label tailwart.role" };
  const judge = (
    all: readonly PolicyResource[],
    rule: (container: PolicyResource, parts: Parts) => Judgement,
  ) => merge(...all.map((container) => at(container.urn, rule(container, parts))));
  return merge(
    judge(unlabelled, () => unknown("labels")),
    judge(joining, (container) => merge(judgeMode(container, parts), judgePorts(container))),
    judge([...parts.anchors, ...joining], judgeRestart),
    judge(parts.stalwarts, judgeSharing),
    judge(parts.stalwarts, judgeWatch),
  );
}
