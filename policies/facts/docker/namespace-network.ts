import type { PolicyResource } from "../../framework/policy.ts";
import { listAt, read, readAt } from "../../framework/values.ts";
import { CONTAINER, roleOf } from "./containers.ts";

export const NETWORK = "docker:index/network:Network";

/** Whether the namespace that Stalwart lives in has IPv6, and by what that is known. */
export type Ipv6Reading =
  | { readonly has: "yes" }
  | { readonly has: "no"; readonly since: string }
  | { readonly has: "unknown"; readonly because: string };

const ROLES = ["anchor", "sidecar", "stalwart"];

/** The container that owns the namespace: the anchor, else one of the others that joins none. */
function ownerOf(resources: readonly PolicyResource[]): PolicyResource | undefined {
  const candidates = resources.flatMap((resource) => {
    const role = resource.type === CONTAINER ? roleOf(resource) : { known: false as const };
    const rank = role.known ? ROLES.indexOf(String(role.value)) : -1;
    const mode = read(resource.props, "networkMode");
    const joins = mode.known
      ? /^container:/.test(String(mode.value))
      : resource.propertyDependencies?.["networkMode"]?.some(({ type }) => type === CONTAINER);
    return rank < 0 || joins ? [] : [{ resource, rank }];
  });
  return candidates.sort((a, b) => a.rank - b.rank)[0]?.resource;
}

/** The networks that a container names: the stack's own, other names, and if any is unknown. */
function networksOf(container: PolicyResource, resources: readonly PolicyResource[]) {
  const own = new Set(
    ["networkMode", "networksAdvanced"]
      .flatMap((input) => container.propertyDependencies?.[input] ?? [])
      .filter(({ type }) => type === NETWORK),
  );
  const list = listAt(container.props, ["networksAdvanced"]);
  const names = [
    read(container.props, "networkMode"),
    ...list.entries.map(({ path }) => readAt(container.props, [...path, "name"])),
  ];
  const others: string[] = [];
  for (const name of names) {
    if (!name.known) continue;
    const named = resources.filter(({ type, props }) => {
      const its = type === NETWORK ? read(props, "name") : undefined;
      return its?.known && its.value === name.value;
    });
    for (const network of named) own.add(network);
    if (named.length === 0) others.push(String(name.value ?? "bridge"));
  }
  const unread = !list.known || names.some((name) => !name.known);
  return { own: [...own], others, unread };
}

/** Docker's default bridge counts as one without IPv6, as long as no daemon is set up for it. */
export function namespaceIpv6(resources: readonly PolicyResource[]): Ipv6Reading {
  const owner = ownerOf(resources);
  if (!owner)
    return { has: "unknown", because: "the stack has no container with the label tailwart.role=anchor" };
  const { own, others, unread } = networksOf(owner, resources);
  const flags = own.map(({ props }) => read(props, "ipv6"));
  if (flags.some((flag) => flag.known && flag.value === true)) return { has: "yes" };
  if (flags.some((flag) => !flag.known))
    return { has: "unknown", because: "the network's ipv6 is unknown until the update" };
  if (others.some((name) => !["", "bridge", "default", "none"].includes(name)))
    return { has: "unknown", because: "the anchor's network is no resource of the stack" };
  const [network] = own;
  if (network) return { has: "no", since: `the network ${network.name} has no ipv6: true` };
  return unread
    ? { has: "unknown", because: "the anchor's network is unknown until the update" }
    : { has: "no", since: "Docker's own bridge has none" };
}
