import { type RuleSource, sarifLog, type SarifLevel, type SarifResult } from "../../lib/sarif.ts";
import { isMandatory, nameOf, type Report, type Violation } from "./model.ts";

/** Files that results point at. */
export interface Sources {
  /** The program, from the repository's root. */
  readonly program: string;
  /** The stack's config file, from the repository's root, and its text. */
  readonly config?: { readonly path: string; readonly text: string };
  readonly version: string;
}

interface Result {
  ruleId: string;
  level: SarifLevel;
  message: string;
  urn?: string;
  where?: string;
  suppressed?: string;
  /** Of a comparison. */
  isNew?: boolean;
}

const PREVIEW = "engine";
const STRANGERS: Readonly<Record<string, string>> = {
  [PREVIEW]: "The engine, a provider or the program reports a problem.",
  drift: "What runs is what the state says.",
  "policy-exceptions": "Every exception has a reason and an end, and none has passed its end.",
};

/** A report, and the files that it is about. */
export interface SarifSource {
  readonly report: Report;
  readonly sources: Sources;
}

/** The reports as SARIF 2.1.0: a run each, told apart by the stack's name. */
export function toSarif(reports: readonly SarifSource[], policies: readonly RuleSource[]): object {
  return sarifLog(
    reports.map(({ report, sources }) => ({
      version: sources.version,
      category: `tailwart/${report.kind}/${report.stack}/`,
      policies,
      strangers: STRANGERS,
      results: resultsOf(report).map((result) => sarifResult(result, sources)),
      errors: report.problems.filter(({ severity }) => severity === "error").map(({ message }) => message),
    })),
  );
}

function resultsOf(report: Report): Result[] {
  return [
    ...report.violations.map((each): Result => ({ ...ofViolation(each), level: levelOf(each) })),
    ...report.exceptions.map(({ violation, until, reason }): Result => ({
      ...ofViolation(violation),
      level: levelOf(violation),
      suppressed: [reason, ...(until ? [`until ${until}`] : [])].join(", "),
    })),
    ...report.notJudged.map(({ policy, urn, where, because }): Result => ({
      ruleId: policy,
      level: "note",
      message: `Not judged: ${[where, because].filter(Boolean).join(": ")}`,
      urn,
      where: `not judged ${where}`,
    })),
    ...report.problems.map(({ severity, message, urn }): Result => ({
      ruleId: PREVIEW,
      level: severity,
      message,
      ...(urn !== undefined && { urn }),
      where: message.split("\n")[0] ?? "",
    })),
    ...(report.drift ?? []).map((change): Result => ({
      ruleId: "drift",
      level: "warning",
      message: `Not as the state says: ${change.properties.map(({ path }) => path).join(", ") || change.op}`,
      urn: change.urn,
      where: change.op,
    })),
  ];
}

function ofViolation({ policy, urn, where, what, why, instead, isNew }: Violation): Omit<Result, "level"> {
  const lines = [`${[where, what].filter(Boolean).join(" ")}.`];
  if (why !== undefined) lines.push(`Why: ${why}.`);
  if (instead !== undefined) lines.push(`Fix: ${instead}`);
  const fresh = isNew === undefined ? {} : { isNew };
  return { ruleId: policy, message: lines.join("\n"), urn, where: where || what, ...fresh };
}

const levelOf = (violation: Violation): SarifLevel => (isMandatory(violation) ? "error" : "warning");

function sarifResult(result: Result, sources: Sources): SarifResult {
  const { ruleId, level, message, urn = "", where = "", suppressed, isNew } = result;
  return {
    ruleId,
    level,
    message,
    ...locationOf(result, sources),
    resource: urn === "" ? undefined : { name: nameOf(urn), id: urn },
    // In any stack: what is wrong at which resource, by its path there.
    identity: [ruleId, urn === "" ? "" : urn.split("::").slice(2).join("::"), where],
    suppressed,
    ...(isNew !== undefined && { baselineState: isNew ? ("new" as const) : ("unchanged" as const) }),
  };
}

/** A refused key of the config is shown where it is written; everything else at the program. */
function locationOf({ ruleId, message }: Result, { program, config }: Sources) {
  const key =
    ruleId === PREVIEW ? /(?:^|\s)(?<key>[\w-]+:[A-Za-z]\w*)/.exec(message)?.groups?.["key"] : undefined;
  const line =
    key === undefined
      ? -1
      : (config?.text.split("\n").findIndex((each) => each.trimStart().startsWith(`${key}:`)) ?? -1);
  if (config && key?.startsWith("tailwart:")) return { file: config.path, line: Math.max(line, 0) + 1 };
  return { file: program, line: 1 };
}
