import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readAt, type MaybeKnown, type Path } from "../../framework/values.ts";

/** Type tokens, compared as strings, since importing the SDK's classes would cost start-up time. */
export const CONTAINER = "docker:index/container:Container";
export const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";
export const VOLUME = "docker:index/volume:Volume";

/** What a container's list holds at an index, one guard each. */
function* entries(list: MaybeKnown): Generator<MaybeKnown> {
  if (!list.known || !Array.isArray(list.value)) return;
  for (let i = 0; i < list.value.length; i++) yield read(list.value, i);
}

export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** True when some entry is unknown at preview, so that a missing name may yet be there. */
  readonly incomplete: boolean;
}

/** A container's environment, by name. */
export function environmentOf(container: PolicyResource): Environment {
  const values = new Map<string, string>();
  const list = read(container.props, "envs");
  let incomplete = !list.known && mayBeGiven(container, "envs");
  for (const entry of entries(list)) {
    if (!entry.known) incomplete = true;
    else if (typeof entry.value === "string" && entry.value.includes("=")) {
      const at = entry.value.indexOf("=");
      values.set(entry.value.slice(0, at), entry.value.slice(at + 1));
    }
  }
  return { values, incomplete };
}

/** The value of a container's label, or undefined. */
export function labelOf(container: PolicyResource, label: string): string | undefined {
  for (const entry of entries(read(container.props, "labels"))) {
    if (!entry.known) continue;
    const name = readAt(entry.value, ["label"]);
    const value = readAt(entry.value, ["value"]);
    if (name.known && name.value === label) return value.known ? String(value.value) : undefined;
  }
  return undefined;
}

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

/** One place of a list. */
export interface Entry {
  readonly path: Path;
  readonly entry: MaybeKnown;
}

/** A list with entries that may each be unknown; the list itself may be unknown, too. */
export interface Listing {
  readonly known: boolean;
  readonly entries: readonly Entry[];
}

/** The entries of the list at a path, with the path of each. */
export function listAt(props: unknown, path: Path): Listing {
  const list = readAt(props, path);
  return {
    known: list.known,
    entries: [...entries(list)].map((entry, i) => ({ path: [...path, i], entry })),
  };
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
