import { changesOf, type Change } from "./changes.ts";
import { downtimeOf, type Downtime } from "./downtime.ts";
import type { DiagnosticEvent, EngineEvent, PolicyEvent } from "./events.ts";
import { type ParsedFinding, parseMessage } from "./parse-finding.ts";

/** A resource and what a policy says of it. */
export interface Violation extends ParsedFinding {
  readonly policy: string;
  readonly urn: string;
  readonly level: string;
  readonly severity?: string;
  /** Of a comparison: whether the base has it not. */
  readonly isNew?: boolean;
}

/** What a change is compared with. */
export interface Base {
  /** As it was asked for, such as `main`. */
  readonly ref: string;
  readonly commit: string;
  /** What the base violates and the change does not. */
  readonly mended: readonly MendedViolation[];
  /** Why nobody knows what changes; then nothing is told of it. */
  readonly unknown?: string;
}

export interface MendedViolation extends Violation {
  /** Whether the resource has not changed, so that it is something else that has. */
  readonly sameResource: boolean;
}

export interface Gap {
  readonly policy: string;
  readonly urn: string;
  readonly where: string;
  readonly because: string;
}

/** A finding that policy-exceptions.jsonc lets pass. */
export interface ExceptedFinding {
  readonly violation: Violation;
  readonly until?: string;
  readonly reason: string;
}

/** What the engine, a provider or the program says. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly urn?: string;
}

/** Everything that a review or an audit says, before it is written as Markdown, SARIF or JSON. */
export interface Report {
  readonly kind: "review" | "audit";
  readonly stack: string;
  /** Whether the command that was asked succeeded; what the exit code says. */
  readonly result: "succeeded" | "failed";
  /** Operation → how many resources. */
  readonly counts: Readonly<Record<string, number>>;
  readonly changes: readonly Change[];
  readonly downtime: readonly Downtime[];
  readonly violations: readonly Violation[];
  readonly notJudged: readonly Gap[];
  readonly exceptions: readonly ExceptedFinding[];
  /** What the pack tells besides: exceptions in force, and idle ones. */
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
  /** Names of the packs that ran, and their versions. Empty: nothing was judged. */
  readonly packs: Readonly<Record<string, string>>;
  /** Of a comparison: `changes` and `downtime` are then what becomes of the base. */
  readonly base?: Base;
  /** Of an audit: what the hosts have that the state has not. Undefined: not looked for. */
  readonly drift?: readonly Change[];
}

/** What the caller knows and the events do not tell. */
export interface Context {
  readonly kind: Report["kind"];
  readonly stack: string;
  /** Exit code of the engine. */
  readonly code: number;
  /** What it printed to standard error, for a failure that came before the first event. */
  readonly stderr?: string;
  /** Folders that messages name; they are taken out, since a report may be public. */
  readonly folders?: readonly string[];
}

/** What the engine says after each failure; the cause is another message. */
const EMPTY_WORDS =
  /^(?:preview failed|update failed|refresh failed|one or more mandatory policy violations were found)$/;

/** True of every run with plugins that the toolchain has made; nothing to act on. */
const NOISE = /^using pulumi-\S+ from \$PATH/;

/** Turns the engine's events into what a reader is to know. */
export function reportOf(events: readonly EngineEvent[], context: Context): Report {
  const told = events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent] : []));
  const parsed = unique(told).map((event) => ({
    event,
    message: parseMessage(event.message, event.policyName),
  }));
  const problems = problemsOf(events, context);
  const changes = changesOf(events);
  const summary = events.findLast(({ summaryEvent }) => summaryEvent)?.summaryEvent;
  return {
    kind: context.kind,
    stack: context.stack,
    result: context.code === 0 ? "succeeded" : "failed",
    counts: countsOf(changes, summary?.resourceChanges),
    changes,
    downtime: downtimeOf(changes),
    violations: parsed.flatMap(({ event, message }) =>
      message.kind === "finding" ? [violation(event, message.finding)] : [],
    ),
    notJudged: parsed.flatMap(({ event, message }) =>
      message.kind === "not-judged"
        ? message.gaps.map((gap) => ({ policy: event.policyName, urn: event.resourceUrn ?? "", ...gap }))
        : [],
    ),
    exceptions: parsed.flatMap(({ event, message }) => {
      if (message.kind !== "excepted") return [];
      const { until, reason, finding } = message;
      return [{ violation: violation(event, finding), ...(until !== undefined && { until }), reason }];
    }),
    notes: parsed.flatMap(({ message }) => (message.kind === "note" ? [message.text] : [])),
    problems,
    packs: Object.fromEntries(
      Object.entries(summary?.PolicyPacks ?? {}).map(([name, version]) => [
        name.split("|")[0] ?? name,
        version,
      ]),
    ),
  };
}

function violation(event: PolicyEvent, finding: ParsedFinding): Violation {
  const { policyName: policy, resourceUrn: urn = "", enforcementLevel: level, severity } = event;
  return { policy, urn, level, ...(severity !== undefined && { severity }), ...finding };
}

/** The engine asks about a replaced resource more than once. */
function unique(told: readonly PolicyEvent[]): PolicyEvent[] {
  const seen = new Map(
    told.map((event) => [`${event.policyName}\n${event.resourceUrn ?? ""}\n${event.message.trim()}`, event]),
  );
  return [...seen.values()];
}

function countsOf(
  changes: readonly Change[],
  summary: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of changes) counts[op] = (counts[op] ?? 0) + 1;
  return { ...counts, ...(summary["same"] !== undefined && { same: summary["same"] }) };
}

function problemsOf(events: readonly EngineEvent[], context: Context): Problem[] {
  const said = events.flatMap(({ diagnosticEvent }) => (diagnosticEvent ? [diagnosticEvent] : []));
  const isProblem = (event: DiagnosticEvent): boolean => ["error", "warning"].includes(event.severity);
  const problems = said.filter(isProblem).map((event): Problem => ({
    severity: event.severity as Problem["severity"],
    message: withoutFolders(event.message.trim(), context.folders),
    ...(event.urn && { urn: event.urn }),
  }));
  const telling = problems.filter(({ message }) => !EMPTY_WORDS.test(message) && !NOISE.test(message));
  // Refused before the first event, such as a passphrase that is wrong: only standard error has it.
  const explained =
    telling.length > 0 || events.some(({ policyEvent }) => policyEvent?.enforcementLevel === "mandatory");
  if (context.code === 0 || explained) return telling;
  const stderr = withoutFolders((context.stderr ?? "").trim(), context.folders).replace(/^error: /gm, "");
  return [
    {
      severity: "error",
      message: stderr || `the engine ended with exit code ${context.code} and said nothing`,
    },
  ];
}

const withoutFolders = (text: string, folders: readonly string[] = []): string =>
  folders.reduce((rest, folder) => rest.replaceAll(`${folder}/`, "").replaceAll(folder, "."), text);

/** The name at the end of a URN. */
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::") || urn;
/** The type of a URN's resource, without those of its parents. */
export const typeOf = (urn: string): string => (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
/** Which violations keep a change from being deployed. */
export const isMandatory = ({ level }: { readonly level: string }): boolean => level === "mandatory";
