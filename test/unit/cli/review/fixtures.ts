import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type EngineEvent, parseEvents } from "../../../../cli/review/events.ts";
import { type Context, type Report, reportOf } from "../../../../cli/review/model.ts";

/**
 * What the engine 3.259 wrote with `--event-log`, cut to what a report reads: `first` and `refused`
 * are Pulumi.review.yaml, `replaced` is prod with a new image for the edge and other files for
 * Stalwart, `violations` a raw program with an exception, `drift` a refresh.
 */
export type Recorded = "first" | "refused" | "replaced" | "violations" | "drift";

export const textOf = (name: Recorded): string =>
  readFileSync(join(import.meta.dirname, "fixtures", `${name}.jsonl`), "utf8");

export const eventsOf = (name: Recorded): EngineEvent[] => parseEvents(textOf(name));

const FAILS: ReadonlySet<Recorded> = new Set(["refused", "violations"]);

export function recorded(name: Recorded, more: Partial<Context> = {}): Report {
  const code = FAILS.has(name) ? 1 : 0;
  return reportOf(eventsOf(name), { kind: "review", stack: "prod", code, ...more });
}

export const EMPTY: Report = {
  kind: "review",
  stack: "prod",
  result: "succeeded",
  counts: {},
  changes: [],
  downtime: [],
  violations: [],
  notJudged: [],
  exceptions: [],
  notes: [],
  problems: [],
  packs: { tailwart: "0.1.0" },
};
