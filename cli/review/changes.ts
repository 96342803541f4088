import type { Role, RoleChange } from "./downtime.ts";
import type { EngineEvent, StepMetadata } from "./events.ts";
import { showDifference, type ShownDifference, valueAt } from "./format-value.ts";

/**
 * One property of a changed resource. Values are texts to be read; secrets and what is not known
 * yet are named as such.
 */
export interface PropertyChange extends ShownDifference {
  readonly path: string;
  /** The resource whose replacement makes it another, where its value is not known before. */
  readonly follows?: string;
  /** Whether it is this property that forces the replacement. */
  readonly replaces: boolean;
}

export interface Change {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly properties: readonly PropertyChange[];
  /** Which part of the mail stack it is, where it is one. */
  readonly part?: RoleChange;
}

/** Steps of a replacement, which are told as one; and what is no change. */
const PASSED_OVER = new Set([
  "same",
  "create-replacement",
  "delete-replaced",
  "discard",
  "discard-replaced",
  "read-replacement",
]);
/** What the engine itself makes, and a refresh of what has not changed. */
export const DEFAULT_PROVIDER = /^urn:pulumi:[^:]*::[^:]*::pulumi:providers:[^:]+::default(?:_|$)/;

/** What is made, changed, replaced or taken away, each resource once, in the engine's order. */
export function changesOf(events: readonly EngineEvent[]): Change[] {
  const steps = events.flatMap(({ resourcePreEvent }) =>
    resourcePreEvent ? [resourcePreEvent.metadata] : [],
  );
  const counted = steps.filter(({ op, urn }) => !PASSED_OVER.has(op) && !DEFAULT_PROVIDER.test(urn));
  const byUrn = new Map(counted.map((step) => [step.urn, step]));
  return [...byUrn.values()].map((step) => changeOf(step, false));
}

/** What a refresh has found to be otherwise than the state says. */
export function driftOf(events: readonly EngineEvent[]): Change[] {
  const steps = events.flatMap(({ resOutputsEvent }) => (resOutputsEvent ? [resOutputsEvent.metadata] : []));
  const drifted = steps.filter(
    ({ op, urn }) => ["update", "delete"].includes(op) && !DEFAULT_PROVIDER.test(urn),
  );
  return [...new Map(drifted.map((step) => [step.urn, step])).values()].map((step) => changeOf(step, true));
}

function changeOf(step: StepMetadata, drift: boolean): Change {
  const part = partOf(step);
  return {
    op: step.op,
    urn: step.urn,
    type: step.type,
    properties: step.op === "create" || step.op === "delete" ? [] : propertiesOf(step, drift),
    ...(part && { part }),
  };
}

function propertiesOf(step: StepMetadata, drift: boolean): PropertyChange[] {
  const keys = new Set(step.keys ?? []);
  const detailed = Object.entries(step.detailedDiff ?? {});
  // Providers and components tell no details: then the inputs that differ are looked for.
  const told = new Set([...(step.diffs ?? []), ...keys]);
  const named = detailed.length > 0 ? [] : told.size > 0 ? [...told] : differing(step);
  const result = [
    ...detailed.map(([path, { diffKind, inputDiff }]) => ({ path, diffKind, inputDiff })),
    ...named.map((path) => ({
      path,
      diffKind: keys.has(path) ? "update-replace" : "update",
      inputDiff: true,
    })),
  ];
  return result.map(({ path, diffKind, inputDiff }): PropertyChange => {
    const oldValue = valueAt((inputDiff ? step.old?.inputs : step.old?.outputs) ?? step.old?.inputs, path);
    const newValue = valueAt(drift ? (step.new?.outputs ?? step.new?.inputs) : step.new?.inputs, path);
    return {
      path,
      ...showDifference(path, oldValue, newValue, diffKind),
      replaces: diffKind.endsWith("-replace"),
    };
  });
}

/** Inputs that are not the same before and after, by their names. */
function differing({ old, new: next }: StepMetadata): string[] {
  const [before, after] = [old?.inputs ?? {}, next?.inputs ?? {}];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter(
    (name) => !name.startsWith("__") && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}

const ROLES: ReadonlySet<string> = new Set<Role>(["anchor", "sidecar", "stalwart", "edge", "files"]);

/** Which part of the mail stack a step is about, by its type and its label `tailwart.role`. */
export function partOf(step: StepMetadata): RoleChange | undefined {
  const name = step.urn.split("::").at(-1) ?? "";
  const role = roleOf(step, name);
  return role && { role, op: step.op, name };
}

function roleOf({ type, old, new: next }: StepMetadata, name: string): Role | undefined {
  if (type === "docker:index/container:Container") {
    const labels = (next ?? old)?.inputs?.["labels"];
    const found = (Array.isArray(labels) ? (labels as { label?: unknown; value?: unknown }[]) : []).find(
      (each) => each?.label === "tailwart.role",
    )?.value;
    return typeof found === "string" && ROLES.has(found) ? (found as Role) : "container";
  }
  if (type === "docker:index/network:Network") return "network";
  if (type === "tailwart:mail:Settings" || type === "tailwart:mail:Registry") return "settings";
  if (type === "command:local:Command" && name.endsWith("-reload")) return "reload";
  return undefined;
}
