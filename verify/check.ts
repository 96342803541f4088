import type { Scene } from "./scene.ts";

/**
 * Where a check looks from: this machine; the KVM host's Docker; Stalwart's network namespace; the
 * edge's container; or the internet, as whoever runs the doctor reaches the edge's public address.
 */
export type Vantage = "operator" | "kvm" | "namespace" | "edge" | "outside";

/**
 * - ok: it holds. warn: it holds, and something comes towards it. fail: it does not hold.
 * - skip: the stack has no such thing.
 * - unknown: nobody can tell, since there was no answer in time or its cause failed before.
 */
export type State = "ok" | "warn" | "fail" | "skip" | "unknown";

/** What a look came to. */
export interface Finding {
  state: State;
  /** What was seen, as one sentence without a full stop; never a secret. */
  seen: string;
  /** What to do or to know about it, in words. */
  advice?: string;
  /** Id of another check that fails for the same cause, where the look itself has found that. */
  because?: string;
  /** The command that mends it, or that shows more, as it can be pasted. */
  fix?: string;
}

/** One thing that must hold. The doctor asks all of them, an `up` those it ends with. */
export interface Check<S extends Scene = Scene> {
  /** As `--only` has it. @example "edge-names" */
  id: string;
  from: Vantage;
  /** Whether it looks at one edge: the doctor asks it of each. */
  perEdge?: true;
  /** Ids of the checks without which this one says nothing: a cause is told before its effects. */
  needs: readonly string[];
  /** Page that tells why it is asked. @example "docs/lessons/01.md" */
  lesson: string;
  /** Seconds that it may take. Default: 10 */
  seconds?: number;
  /** Looks. What it throws counts as unknown. */
  look(scene: S): Promise<Finding>;
}

export const ok = (seen: string): Finding => ({ state: "ok", seen });
export const skip = (seen: string): Finding => ({ state: "skip", seen });
export const warn = (seen: string, more: { advice?: string; fix?: string } = {}): Finding => ({
  state: "warn",
  seen,
  ...more,
});
export const fail = (seen: string, more: { advice?: string; fix?: string } = {}): Finding => ({
  state: "fail",
  seen,
  ...more,
});
export const unknown = (seen: string, more: { advice?: string; fix?: string } = {}): Finding => ({
  state: "unknown",
  seen,
  ...more,
});

/** The worst of some findings: what fails, then what cannot be told, then what is a warning. */
export const worst = (findings: readonly Finding[]): Finding | undefined =>
  (["fail", "unknown", "warn", "ok"] as const).flatMap((state) =>
    findings.filter((each) => each.state === state),
  )[0];

/** @example lesson(1) === "docs/lessons/01.md" */
export const lesson = (number: number): string => `docs/lessons/${String(number).padStart(2, "0")}.md`;

/**
 * A set of checks and all that they need, each behind what it needs.
 *
 * @throws Error for an id that is in no list, and for checks that need each other
 */
export function withNeeds<C extends Check<never>>(all: readonly C[], ids: readonly string[]): C[] {
  const found: C[] = [];
  const visit = (id: string, path: readonly string[]): void => {
    const check = all.find((each) => each.id === id);
    if (check === undefined) throw new Error(`there is no check "${id}"`);
    if (path.includes(id)) throw new Error(`checks need each other: ${[...path, id].join(" → ")}`);
    if (found.includes(check)) return;
    for (const need of check.needs) visit(need, [...path, id]);
    found.push(check);
  };
  for (const id of ids) visit(id, []);
  return found;
}
