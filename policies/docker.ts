import { read, readAt, type Read } from "./visit.ts";
import type { Subject } from "./definition.ts";

/** Type token of a Docker container; compared as a string, since importing the SDK's class would cost start-up time. */
export const CONTAINER = "docker:index/container:Container";

/** What a container's list holds at an index, one guard each. */
function* entries(list: Read): Generator<Read> {
  if (!list.known || !Array.isArray(list.value)) return;
  for (let i = 0; i < list.value.length; i++) yield read(list.value, i);
}

export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** True when some entry is unknown at preview, so that a missing name may yet be there. */
  readonly incomplete: boolean;
}

/** A container's environment, by name. */
export function environmentOf(container: Subject): Environment {
  const values = new Map<string, string>();
  const list = read(container.props, "envs");
  let incomplete = !list.known;
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
export function labelOf(container: Subject, label: string): string | undefined {
  for (const entry of entries(read(container.props, "labels"))) {
    if (!entry.known) continue;
    const name = readAt(entry.value, ["label"]);
    const value = readAt(entry.value, ["value"]);
    if (name.known && name.value === label) return value.known ? String(value.value) : undefined;
  }
  return undefined;
}
