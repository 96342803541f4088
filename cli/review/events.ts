/**
 * One resource's step, as the engine plans it. Secrets are masked by the engine before it writes an
 * event.
 */
export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: StepState | null;
  readonly new?: StepState | null;
  /** Inputs that force a replacement. */
  readonly keys?: readonly string[] | null;
  /** Inputs that differ. */
  readonly diffs?: readonly string[] | null;
  /** Property path → what happens to it. */
  readonly detailedDiff?: Readonly<Record<string, PropertyStep>> | null;
}

export interface StepState {
  readonly inputs?: Readonly<Record<string, unknown>> | null;
  readonly outputs?: Readonly<Record<string, unknown>> | null;
  /** URN and id of the provider that makes it. */
  readonly provider?: string;
}

export interface PropertyStep {
  /** add, delete or update, with `-replace` where it forces a replacement. */
  readonly diffKind: string;
  /** Whether old and new are both inputs; else the old value is an output. */
  readonly inputDiff: boolean;
}

export interface PolicyEvent {
  readonly resourceUrn?: string;
  readonly message: string;
  readonly policyName: string;
  readonly policyPackName: string;
  readonly enforcementLevel: string;
  readonly severity?: string;
}

export interface DiagnosticEvent {
  readonly urn?: string;
  readonly message: string;
  readonly severity: string;
}

export interface SummaryEvent {
  readonly resourceChanges?: Readonly<Record<string, number>>;
  readonly PolicyPacks?: Readonly<Record<string, string>>;
  readonly result?: string;
}

/** What a report reads of the engine's events (apitype.EngineEvent); all others are passed over. */
export interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly policyEvent?: PolicyEvent;
  readonly diagnosticEvent?: DiagnosticEvent;
  readonly summaryEvent?: SummaryEvent;
}

/**
 * Reads what `--event-log` or `policy analyze --json` has written, one JSON object a line. A last
 * line that was cut off, as a killed engine leaves it, and lines that are no JSON are passed over:
 * a report of the rest is worth more than none.
 */
export function parseEvents(text: string): EngineEvent[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line) as EngineEvent];
    } catch {
      return [];
    }
  });
}
