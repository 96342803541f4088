import { PASS, unknownAt } from "../framework/judgement.ts";
import { definePolicy, type Finding, type Judgement, type NotJudged, type Subject, type Verdict } from "../framework/policy.ts";
import { CONTAINER, publishedPortsOf, roleOf } from "../facts/docker/containers.ts";
import { read } from "../framework/values.ts";

export const stalwartSharesAnchor = definePolicy({
  id: "stalwart-shares-anchor",
  description:
    "Stalwart and the sidecar join the anchor's network namespace by its id, and all three always restart.",
  severity: "critical",
  lesson: 13,
  level: "mandatory",
  remediation:
    "Set networkMode of the sidecar and of Stalwart to `container:${anchor.id}`, restart to always on the three, and publish no port.",
  url: "https://docs.docker.com/engine/network/#container-networks",
  why: "a namespace dies with the container that made it and a name follows no replacement, so mail stays mute in a dead namespace; what has lost its connections ends itself and must be started again (lesson 16)",
  anyStack: false,
  judgeStack,
});

const BY_ID = "`container:${anchor.id}` with the id of the container that is labelled tailwart.role=anchor";

/** The stack's containers by what they are for. */
interface Parts {
  readonly anchors: readonly Subject[];
  readonly sidecars: readonly Subject[];
  readonly stalwarts: readonly Subject[];
  /** Every container's name, as far as known. */
  readonly names: ReadonlySet<unknown>;
}

const anchorsBehind = (container: Subject, { anchors }: Parts): Subject[] =>
  (container.propertyDependencies?.["networkMode"] ?? []).filter((source) =>
    anchors.some((anchor) => anchor.urn === source.urn),
  );

/** What is wrong with a network mode, or undefined; "unknown" where nothing tells. */
function mistakeOf(container: Subject, parts: Parts): string | undefined {
  const mode = read(container.props, "networkMode");
  const fromAnchor = anchorsBehind(container, parts).length > 0;
  if (!mode.known) {
    // A name is known at preview, an id is not: what is unknown and comes from the anchor is its
    // id.
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

function judgeMode(container: Subject, parts: Parts): Judgement {
  const { urn } = container;
  const what = mistakeOf(container, parts);
  if (what === "unknown") return { findings: [], notJudged: [unknownAt("networkMode", urn)] };
  return {
    findings: what === undefined ? [] : [{ where: "networkMode", what, instead: BY_ID, urn }],
    notJudged: [],
  };
}

/** Two anchors, one for Stalwart and one for the sidecar, are two namespaces. */
function judgeSharing(stalwart: Subject, parts: Parts): Finding[] {
  const own = anchorsBehind(stalwart, parts);
  const sidecars = new Set(parts.sidecars.flatMap((sidecar) => anchorsBehind(sidecar, parts)));
  if (own.length === 0 || sidecars.size === 0 || own.some((anchor) => sidecars.has(anchor))) return [];
  const what = "joins another anchor than the sidecar does";
  return [{ where: "networkMode", what, instead: BY_ID, urn: stalwart.urn }];
}

function judgePorts(container: Subject): Judgement {
  const { urn } = container;
  const { published, unknown } = publishedPortsOf(container);
  return {
    findings: published.map((where) => ({
      where,
      what: "publishes a port of its own, which a container in another's namespace cannot have",
      instead: "no port: the edge dials Stalwart's MagicDNS name",
      urn,
    })),
    notJudged: unknown.map((where) => unknownAt(where, urn)),
  };
}

function judgeRestart({ props, urn }: Subject): Judgement {
  const restart = read(props, "restart");
  if (!restart.known) return { findings: [], notJudged: [unknownAt("restart", urn)] };
  if (restart.value === "always") return PASS;
  const what = 'is not "always", so the container may stay down when it has ended';
  return { findings: [{ where: "restart", what, instead: 'restart: "always"', urn }], notJudged: [] };
}

function judgeStack(resources: readonly Subject[]): Verdict {
  const containers = resources.filter((resource) => resource.type === CONTAINER);
  const roles = new Map(containers.map((container) => [container, roleOf(container)]));
  const of = (role: string): Subject[] =>
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
  const unlabelled: NotJudged[] = containers
    .filter((container) => roles.get(container)?.known === false)
    .map(({ urn }) => unknownAt("labels", urn));
  const joining = [...parts.sidecars, ...parts.stalwarts];
  if (joining.length + parts.anchors.length + unlabelled.length === 0)
    return { notApplicable: "the stack has no container with the label tailwart.role" };
  const judgements = [
    ...joining.flatMap((container) => [judgeMode(container, parts), judgePorts(container)]),
    ...[...parts.anchors, ...joining].map(judgeRestart),
  ];
  return {
    findings: [
      ...judgements.flatMap((judgement) => judgement.findings),
      ...parts.stalwarts.flatMap((stalwart) => judgeSharing(stalwart, parts)),
    ],
    notJudged: [...unlabelled, ...judgements.flatMap((judgement) => judgement.notJudged)],
  };
}
