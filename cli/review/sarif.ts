import { createHash } from "node:crypto";

import { isMandatory, nameOf, type Report, type Violation } from "./model.ts";

/** What SARIF says of a rule; policies/framework/policy.ts has more. */
export interface RuleSource {
  readonly id: string;
  readonly description: string;
  readonly severity: string;
  readonly enforcementLevel: string;
  readonly remediation: string;
  readonly why: string;
  readonly url: string;
  readonly lesson?: number;
}

/** Files that results point at. */
export interface Sources {
  /** The program, from the repository's root. */
  readonly program: string;
  /** The stack's config file, from the repository's root, and its text. */
  readonly config?: { readonly path: string; readonly text: string };
  readonly version: string;
}

type Level = "error" | "warning" | "note";

interface Result {
  ruleId: string;
  level: Level;
  message: string;
  urn?: string;
  where?: string;
  suppressed?: string;
}

const PREVIEW = "engine";
/** GitHub ranks results by such a number, from 0 to 10 (code scanning's `security-severity`). */
const SCORES: Readonly<Record<string, string>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };

/** The report as SARIF 2.1.0, as GitHub's code scanning and other readers take it. */
export function toSarif(report: Report, policies: readonly RuleSource[], sources: Sources): object {
  const results = resultsOf(report);
  const known = new Set(policies.map(({ id }) => id));
  const strange = [...new Set(results.map(({ ruleId }) => ruleId))].filter((id) => !known.has(id));
  const rules = [...policies.map(ruleOf), ...strange.map(strangeRule)];
  const index = new Map(rules.map(({ id }, at) => [id, at]));
  const errors = report.problems.filter(({ severity }) => severity === "error");
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "tailwart",
            semanticVersion: sources.version,
            informationUri: "https://www.pulumi.com/docs/insights/policy/",
            rules,
          },
        },
        automationDetails: { id: `tailwart/${report.kind}/${report.stack}/` },
        invocations: [
          {
            // The tool ran, whatever it found; what kept the engine from an end is told beside it.
            executionSuccessful: errors.length === 0,
            toolExecutionNotifications: errors.map(({ message }) => ({
              level: "error",
              message: { text: message },
            })),
          },
        ],
        results: results.map((result) => sarifResult(result, index.get(result.ruleId) ?? 0, sources)),
      },
    ],
  };
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

function ofViolation({ policy, urn, where, what, why, instead }: Violation): Omit<Result, "level"> {
  const lines = [`${[where, what].filter(Boolean).join(" ")}.`];
  if (why !== undefined) lines.push(`Why: ${why}.`);
  if (instead !== undefined) lines.push(`Fix: ${instead}`);
  return { ruleId: policy, message: lines.join("\n"), urn, where: where || what };
}

const levelOf = (violation: Violation): Level => (isMandatory(violation) ? "error" : "warning");

function sarifResult(result: Result, ruleIndex: number, sources: Sources) {
  const { ruleId, level, message, urn, suppressed } = result;
  const fingerprint = fingerprintOf(result);
  return {
    ruleId,
    ruleIndex,
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: locationOf(result, sources),
        ...(urn && {
          logicalLocations: [{ name: nameOf(urn), fullyQualifiedName: urn, kind: "resource" }],
        }),
      },
    ],
    // GitHub tells results apart by the first one, and would else take the line's text for it,
    // which all of them share.
    partialFingerprints: { primaryLocationLineHash: `${fingerprint}:1`, "tailwart/v1": fingerprint },
    ...(suppressed !== undefined && { suppressions: [{ kind: "external", justification: suppressed }] }),
  };
}

/**
 * The same for the same finding on any machine, on any day and in any stack: what is wrong at which
 * resource, by its path there.
 */
function fingerprintOf({ ruleId, urn = "", where = "" }: Result): string {
  const resource = urn === "" ? "" : `${urn.split("::").slice(2).join("::")}`;
  const stable = [ruleId, resource, where].join("\n");
  return createHash("sha256").update(stable).digest("hex").slice(0, 32);
}

/** A refused key of the config is shown where it is written; everything else at the program. */
function locationOf({ ruleId, message }: Result, { program, config }: Sources) {
  const file = (uri: string, startLine: number) => ({
    artifactLocation: { uri, uriBaseId: "%SRCROOT%" },
    region: { startLine },
  });
  const key =
    ruleId === PREVIEW ? /(?:^|\s)(?<key>[\w-]+:[A-Za-z]\w*)/.exec(message)?.groups?.["key"] : undefined;
  const line =
    key === undefined
      ? -1
      : (config?.text.split("\n").findIndex((each) => each.trimStart().startsWith(`${key}:`)) ?? -1);
  if (config && key?.startsWith("tailwart:")) return file(config.path, Math.max(line, 0) + 1);
  return file(program, 1);
}

function ruleOf({ id, description, severity, enforcementLevel, remediation, why, url, lesson }: RuleSource) {
  return {
    id,
    name: id.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: description },
    fullDescription: { text: `${description} Why: ${why}.` },
    help: {
      text: `${why}. To mend it: ${remediation}`,
      markdown: `Why: ${why}.\n\nTo mend it: ${remediation}\n\n[Source](${url})`,
    },
    helpUri: url,
    defaultConfiguration: { level: enforcementLevel === "mandatory" ? "error" : "warning" },
    properties: {
      tags: ["security", ...(lesson === undefined ? [] : [`lesson-${lesson}`])],
      "security-severity": SCORES[severity] ?? "5.5",
    },
  };
}

const STRANGE: Readonly<Record<string, string>> = {
  [PREVIEW]: "The engine, a provider or the program reports a problem.",
  drift: "What runs is what the state says.",
  "policy-exceptions": "Every exception has a reason and an end, and none has passed its end.",
};

/** A rule that the pack's list has not: the engine itself, or another pack's. */
function strangeRule(id: string) {
  const text = STRANGE[id] ?? `A policy of another pack: ${id}.`;
  return {
    id,
    name: id.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text },
    fullDescription: { text },
    help: { text },
    defaultConfiguration: { level: "warning" as const },
    properties: { tags: ["security"] },
  };
}
