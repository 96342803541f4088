import { classifyHost, isMagicDnsName } from "../../../lib/addresses.ts";
import { sameHost } from "../../../lib/tailnet/reach.ts";
import type { PolicyResource } from "../../framework/policy.ts";
import { perResource, read, readAt, readString, walk } from "../../framework/values.ts";
import { advertisedTagsOf, CONTAINER, environmentOf, knownRoleOf } from "../docker/containers.ts";
import { EDGE, isOwn, SIDECAR, TAILNET_POLICY } from "../own-resources.ts";
import { tailnetDomains } from "./policy-file.ts";

const TAILNET_KEY = /^tailscale:index\/(?:tailnetKey:TailnetKey|oauthClient:OauthClient)$/;
const NODE_VARIABLE = /^TS_(?:AUTH_?KEY|AUTH_ONCE|CLIENT_ID|CLIENT_SECRET|EXTRA_ARGS|HOSTNAME|STATE_DIR)$/;

/** What the policy config says of the tailnet, where no resource does. */
export interface TailnetSettings {
  /** Name on the tailnet → the tag that its node carries. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Container → the tag of the node that it connects through. */
  readonly sources: Readonly<Record<string, string>>;
}

/** The tailnet as far as the stack's resources describe it. */
export interface Tailnet {
  /** Tags of the node that answers to a name; undefined where they are not known. */
  tagsOf(host: string): readonly string[] | undefined;
  /** Tags of the node that a resource connects through; `offline` when it connects to nothing. */
  sourceOf(resource: PolicyResource): { readonly tags?: readonly string[]; readonly offline?: true };
  /**
   * Whether a connection from the resource to the host goes over the tailnet. A name of one label
   * is MagicDNS' only where its resolver is asked; else it may be a container of another stack's.
   */
  leadsTo(host: string, from: PolicyResource): "yes" | "no" | "maybe";
}

const dependencies = (resource: PolicyResource, input: string): readonly PolicyResource[] =>
  resource.propertyDependencies?.[input] ?? [];
const textOf = (resource: PolicyResource, key: string): string | undefined =>
  readString(resource.props, [key]).value;

const tagsAmong = (leaves: readonly { readonly value: unknown }[]): string[] =>
  leaves.map(({ value }) => String(value)).filter((tag) => tag.startsWith("tag:"));

const tagsIn = (resource: PolicyResource): string[] =>
  tagsAmong(walk(resource.props).leaves.filter(({ path }) => path[0] === "tag" || path[0] === "tags"));

function tagsBelow(map: unknown, name: string): string[] {
  const tags = read(map, name);
  return tags.known ? tagsAmong(walk(tags.value).leaves) : [];
}

function isNode(container: PolicyResource): boolean {
  return (
    [...environmentOf(container).values.keys()].some((name) => NODE_VARIABLE.test(name)) ||
    knownRoleOf(container) === "sidecar" ||
    (/(?:^|\/)tailscale\/tailscale[:@]/.test(textOf(container, "image") ?? "") &&
      knownRoleOf(container) === undefined)
  );
}

/** containerboot leaves the resolver alone that Docker gives a container, unless it is asked to. */
function asksMagicDns(node: PolicyResource): boolean {
  const { values } = environmentOf(node);
  return (
    /^(?:true|1|t)$/i.test(values.get("TS_ACCEPT_DNS") ?? "") ||
    /--accept-dns(?:=true)?(?:\s|$)/.test(values.get("TS_EXTRA_ARGS") ?? "") ||
    knownRoleOf(node) === "sidecar"
  );
}

/** Reads who is who on the tailnet: never from the Acl's grants, whose sense is to be judged. */
export function tailnetOf(resources: readonly PolicyResource[], settings: TailnetSettings): Tailnet {
  const containers = resources.filter((resource) => resource.type === CONTAINER);
  const nodes = containers.filter(isNode);
  const keys = resources.filter((resource) => TAILNET_KEY.test(resource.type));
  const sidecars = resources.filter((resource) => resource.type === SIDECAR);
  const edges = resources.filter((resource) => resource.type === EDGE);
  const domains = tailnetDomains(resources);
  const byName = new Map(containers.map((container) => [textOf(container, "name"), container]));

  /** The container whose network namespace a container is in. */
  const namespaceOf = (container: PolicyResource, depth = 0): string => {
    const joined = dependencies(container, "networkMode").find(({ type }) => type === CONTAINER);
    const mode = textOf(container, "networkMode") ?? "";
    const name = /^container:(.+)$/.exec(mode)?.[1];
    const host = joined ?? (name === undefined ? undefined : byName.get(name));
    if (host) return depth < 8 ? namespaceOf(host, depth + 1) : host.urn;
    return name === undefined ? container.urn : mode;
  };

  const tagsOfNode = (node: PolicyResource): readonly string[] | undefined => {
    const advertised = advertisedTagsOf(node);
    if (advertised) return advertised;
    const parent = sidecars.find(({ urn }) => urn === node.opts.parent);
    const used = ["uploads", "envs"].flatMap((input) => dependencies(node, input));
    const key = used.find(({ type }) => TAILNET_KEY.test(type)) ?? (keys.length === 1 ? keys[0] : undefined);
    const tags = [parent, key].flatMap((one) => (one ? tagsIn(one) : []));
    return tags.length > 0 ? [...new Set(tags)] : undefined;
  };

  /** The node that Stalwart is behind. */
  const mailNode = (): { tags?: readonly string[] } => {
    const [own, another] = sidecars;
    const tags =
      own && !another ? tagsIn(own) : nodes.length === 1 && nodes[0] ? tagsOfNode(nodes[0]) : undefined;
    return tags && tags.length > 0 ? { tags } : {};
  };

  const nodeOf = new Map(nodes.toReversed().map((node) => [namespaceOf(node), node]));

  const configured = (resource: PolicyResource): string | undefined =>
    settings.sources[resource.name] ?? settings.sources[textOf(resource, "name") ?? ""];

  const sourceOf: Tailnet["sourceOf"] = perResource((resource: PolicyResource) => {
    const tag = configured(resource);
    if (tag !== undefined) return { tags: [tag] };
    const component = edges.find(({ urn }) => urn === resource.urn || urn === resource.opts.parent);
    if (component) return tagsIn(component).length > 0 ? { tags: tagsIn(component) } : {};
    if (isOwn(resource)) return mailNode();
    if (resource.type !== CONTAINER) {
      const [container] = ["environment", "triggers"]
        .flatMap((input) => dependencies(resource, input))
        .filter(({ type }) => type === CONTAINER);
      return container ? sourceOf(container) : {};
    }
    if (textOf(resource, "networkMode") === "none") return { offline: true };
    const node = nodeOf.get(namespaceOf(resource));
    if (node) {
      const tags = tagsOfNode(node);
      return tags ? { tags } : {};
    }
    // The box's own node: what the one edge component of the stack says of it.
    const [edge] = knownRoleOf(resource) === "edge" && edges.length === 1 ? edges : [];
    return edge && tagsIn(edge).length > 0 ? { tags: tagsIn(edge) } : {};
  });

  const stated = resources
    .filter((resource) => resource.type === TAILNET_POLICY)
    .flatMap((policy) => {
      const map = read(policy.props, "nodes");
      if (!map.known || typeof map.value !== "object" || map.value === null) return [];
      return Object.keys(map.value).map((name) => ({ name, tags: tagsBelow(map.value, name) }));
    });

  const tagsOf: Tailnet["tagsOf"] = (host) => {
    const tag = Object.entries(settings.hosts).find(([name]) => sameHost(name, host))?.[1];
    if (tag !== undefined) return [tag];
    const tags = stated.find(({ name }) => sameHost(name, host))?.tags ?? [];
    if (tags.length > 0) return tags;
    const sidecar = sidecars.find((one) => sameHost(textOf(one, "hostname") ?? "", host));
    if (sidecar) return tagsIn(sidecar);
    const node = nodes.find((one) =>
      sameHost(environmentOf(one).values.get("TS_HOSTNAME") ?? textOf(one, "hostname") ?? "", host),
    );
    return node && tagsOfNode(node);
  };

  /** Docker answers a container's name on its own networks; MagicDNS is not asked then. */
  const isContainer = (label: string): boolean =>
    containers.some((one) => {
      const aliases = readAt(one.props, ["networksAdvanced"]);
      const names = aliases.known ? walk(aliases.value).leaves.map(({ value }) => value) : [];
      return textOf(one, "name") === label || one.name === label || names.includes(label);
    });

  const leadsTo: Tailnet["leadsTo"] = (host, from) => {
    const answer = (holds: boolean) => (holds ? "yes" : "no");
    const kind = classifyHost(host);
    if (kind !== "name") return answer(kind === "tailnet-ipv4" || kind === "tailnet-ipv6");
    if (Object.keys(settings.hosts).some((name) => sameHost(name, host))) return "yes";
    if (host.includes("."))
      return answer(host.endsWith(".ts.net") || domains.some((domain) => isMagicDnsName(host, domain)));
    if (host === "localhost" || isContainer(host)) return "no";
    // A command's words are not looked at closely enough to say that one is a node.
    if (from.type !== CONTAINER) return isOwn(from) || tagsOf(host) !== undefined ? "yes" : "maybe";
    const node = nodeOf.get(namespaceOf(from));
    if (!node) return "no";
    return asksMagicDns(node) || tagsOf(host) !== undefined ? "yes" : "maybe";
  };

  return { tagsOf, sourceOf, leadsTo };
}
