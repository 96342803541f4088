import type { Change } from "../changes.ts";
import { downtimeOf } from "../downtime.ts";
import type { Base, Report, Violation } from "../model.ts";

/** One side of a comparison: what its preview said, and the changes it leads to. */
export interface Comparison {
  readonly ref: string;
  readonly commit: string;
  /** Undefined: the base has no such stack. */
  readonly base: Report | undefined;
  /** What becomes of the base's resources; read where both previews came to their end. */
  readonly changes: readonly Change[];
  /** Resources that stay as they are. */
  readonly unchanged: number;
}

/**
 * The head's report with what becomes of the base in the place of what a first deployment makes:
 * changes, downtime, and which findings are new or mended.
 */
export function comparedWith(head: Report, comparison: Comparison): Report {
  const { ref, commit, base, changes, unchanged } = comparison;
  const unknown = whyUnknown(head, base, ref);
  const known = new Set(base?.violations.map(keyOf));
  const violations = head.violations.map((each) => ({ ...each, isNew: !known.has(keyOf(each)) }));
  const against = { ref, commit, ...(unknown !== undefined && { unknown }) };
  if (unknown !== undefined) {
    // Of a base that cannot be previewed nobody knows what it violates.
    const told = base && isWhole(base) ? violations : head.violations;
    return { ...head, violations: told, counts: {}, changes: [], base: { ...against, mended: [] } };
  }
  const counts: Record<string, number> = {};
  for (const { op } of changes) counts[op] = (counts[op] ?? 0) + 1;
  return {
    ...head,
    violations,
    changes,
    counts: { ...counts, same: unchanged },
    downtime: downtimeOf(changes),
    base: { ...against, mended: mendedIn(head, base, changes) },
  };
}

/** What a stack is told that has a file in the base alone. */
export function withoutFile(stack: string, file: string, against: Omit<Base, "mended" | "unknown">): Report {
  const message = `${file} is taken away: nothing judges the stack ${stack} any more, and what it has deployed stays`;
  return {
    kind: "review",
    stack,
    result: "succeeded",
    counts: {},
    changes: [],
    downtime: [],
    violations: [],
    notJudged: [],
    exceptions: [],
    notes: [],
    problems: [{ severity: "warning", message }],
    packs: {},
    base: { ...against, mended: [], unknown: "there is nothing to preview" },
  };
}

/** Whether a preview came to its end; one that violates a policy does, too. */
const isWhole = ({ problems }: Report) => problems.every(({ severity }) => severity !== "error");

function whyUnknown(head: Report, base: Report | undefined, ref: string): string | undefined {
  if (!isWhole(head)) return "the preview came to no end";
  if (base === undefined || isWhole(base)) return undefined;
  const { message = "" } = base.problems.find(({ severity }) => severity === "error") ?? {};
  return `${ref} itself cannot be previewed: ${message.split("\n").slice(0, 2).join(" ").replace(/\s+/g, " ").trim()}`;
}

function mendedIn(head: Report, base: Report | undefined, changes: readonly Change[]): Base["mended"] {
  const left = new Set(head.violations.map(keyOf));
  const changed = new Set(changes.map(({ urn }) => urn));
  const mended = (base?.violations ?? []).filter((each) => !left.has(keyOf(each)));
  return mended.map((each) => ({ ...each, sameResource: !changed.has(each.urn) }));
}

/** The same finding on both sides: what is wrong at which place of which resource. */
const keyOf = ({ policy, urn, where, what }: Violation) => [policy, urn, where, what].join("\n");
