import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, read, readAt, type MaybeKnown } from "../../framework/values.ts";

/** Type tokens, compared as strings, since importing the SDK's classes would cost start-up time. */
export const CONTAINER = "docker:index/container:Container";
export const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";
export const VOLUME = "docker:index/volume:Volume";

export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** True when some entry is unknown at preview, so that a missing name may yet be there. */
  readonly incomplete: boolean;
}

/** A container's environment, by name. */
export function environmentOf(container: PolicyResource): Environment {
  const values = new Map<string, string>();
  const list = listAt(container.props, ["envs"]);
  let incomplete = !list.known && mayBeGiven(container, "envs");
  for (const { entry } of list.entries) {
    if (!entry.known) incomplete = true;
    else if (typeof entry.value === "string" && entry.value.includes("=")) {
      const at = entry.value.indexOf("=");
      values.set(entry.value.slice(0, at), entry.value.slice(at + 1));
    }
  }
  return { values, incomplete };
}

/** The tags that a node's container asks for; undefined where its arguments name none. */
export const advertisedTagsOf = (container: PolicyResource): string[] | undefined =>
  /--advertise-tags[= ](\S+)/
    .exec(environmentOf(container).values.get("TS_EXTRA_ARGS") ?? "")?.[1]
    ?.split(",");

/**
 * Whether an input that is unknown could come from the program. A stack policy sees what is
 * planned, where inputs that the program does not give are unknown until Docker adds the image's
 * own; those that it takes from a resource have a source.
 */
export const mayBeGiven = ({ propertyDependencies }: PolicyResource, input: string): boolean =>
  propertyDependencies === undefined || (propertyDependencies[input]?.length ?? 0) > 0;

/** What a container is for, by tailwart's label; unknown where a label that could say so is. */
export function roleOf(container: PolicyResource): MaybeKnown {
  const labels = listAt(container.props, ["labels"]);
  let incomplete = !labels.known && mayBeGiven(container, "labels");
  for (const { path, entry } of labels.entries) {
    const name = readAt(container.props, [...path, "label"]);
    if (!entry.known || !name.known) incomplete = true;
    else if (name.value === "tailwart.role") return readAt(container.props, [...path, "value"]);
  }
  return incomplete ? { known: false } : { known: true, value: undefined };
}

/** {@link roleOf}, or undefined where that is unknown. */
export function knownRoleOf(container: PolicyResource): unknown {
  const role = roleOf(container);
  return role.known ? role.value : undefined;
}

/** Where a container publishes ports on its host, and what of that is unknown. */
export function publishedPortsOf({ props }: PolicyResource): { published: string[]; unread: string[] } {
  const published: string[] = [];
  const unread: string[] = [];
  const ports = listAt(props, ["ports"]);
  if (!ports.known) unread.push("ports");
  for (const { path, entry } of ports.entries) {
    const internal = readAt(props, [...path, "internal"]);
    const name = internal.known && typeof internal.value === "number" ? ` (${internal.value})` : "";
    (entry.known ? published : unread).push(formatPath(path) + name);
  }
  const all = read(props, "publishAllPorts");
  if (!all.known) unread.push("publishAllPorts");
  else if (all.value === true) published.push("publishAllPorts");
  return { published, unread };
}
