/** SARIF 2.1.0, as GitHub's code scanning takes it; the review and the check write it. */
import { createHash } from "node:crypto";

export type SarifLevel = "error" | "warning" | "note";

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

/** One finding, where it is, and what it is told apart from others by. */
export interface SarifResult {
  readonly ruleId: string;
  readonly level: SarifLevel;
  readonly message: string;
  /** From the repository's root. */
  readonly file: string;
  readonly line: number;
  readonly resource?: { readonly name: string; readonly id: string } | undefined;
  /**
   * The same for the same finding on any machine and on any day, whatever line it has moved to.
   */
  readonly identity: readonly string[];
  /** Why the finding may stand. */
  readonly suppressed?: string | undefined;
  /** Whether a baseline knows the finding. */
  readonly baselineState?: "new" | "unchanged" | undefined;
}

/** A whole run. */
export interface SarifRun {
  readonly version: string;
  /** Tells runs of one repository apart, such as `tailwart/review/prod/`. */
  readonly category: string;
  readonly policies: readonly RuleSource[];
  /** What is said of a rule that is none of the policies. */
  readonly strangers: Readonly<Record<string, string>>;
  readonly results: readonly SarifResult[];
  /** What kept the tool from an end. */
  readonly errors: readonly string[];
}

/** GitHub ranks results by such a number, from 0 to 10 (code scanning's `security-severity`). */
const SCORES: Readonly<Record<string, string>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };

/** The log of some runs, each told apart by its category. */
export const sarifLog = (runs: readonly SarifRun[]): object => ({
  $schema: "https://json.schemastore.org/sarif-2.1.0.json",
  version: "2.1.0",
  runs: runs.map(runOf),
});

function runOf({ version, category, policies, strangers, results, errors }: SarifRun): object {
  const known = new Set(policies.map(({ id }) => id));
  const strange = [...new Set(results.map(({ ruleId }) => ruleId))].filter((id) => !known.has(id));
  const rules = [...policies.map(ruleOf), ...strange.map((id) => strangeRule(id, strangers))];
  const index = new Map(rules.map(({ id }, at) => [id, at]));
  return {
    tool: {
      driver: {
        name: "tailwart",
        semanticVersion: version,
        informationUri: "https://www.pulumi.com/docs/insights/policy/",
        rules,
      },
    },
    automationDetails: { id: category },
    invocations: [
      {
        // The tool ran, whatever it found; what kept it from an end is told beside it.
        executionSuccessful: errors.length === 0,
        toolExecutionNotifications: errors.map((text) => ({ level: "error", message: { text } })),
      },
    ],
    results: results.map((result) => resultOf(result, index.get(result.ruleId) ?? 0)),
  };
}

function resultOf(result: SarifResult, ruleIndex: number) {
  const { ruleId, level, message, file, line, resource, suppressed, baselineState } = result;
  const fingerprint = fingerprintOf(result.identity);
  return {
    ruleId,
    ruleIndex,
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file, uriBaseId: "%SRCROOT%" },
          region: { startLine: line },
        },
        ...(resource && {
          logicalLocations: [{ name: resource.name, fullyQualifiedName: resource.id, kind: "resource" }],
        }),
      },
    ],
    // GitHub tells results apart by the first one, and would else take the line's text for it,
    // which several may share.
    partialFingerprints: { primaryLocationLineHash: `${fingerprint}:1`, "tailwart/v1": fingerprint },
    ...(baselineState !== undefined && { baselineState }),
    ...(suppressed !== undefined && { suppressions: [{ kind: "external", justification: suppressed }] }),
  };
}

/** A short text that stands for what a finding is told apart by. */
export function fingerprintOf(identity: readonly string[]): string {
  return createHash("sha256").update(identity.join("\n")).digest("hex").slice(0, 32);
}

const inCapitals = (id: string): string =>
  id.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

function ruleOf({ id, description, severity, enforcementLevel, remediation, why, url, lesson }: RuleSource) {
  return {
    id,
    name: inCapitals(id),
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

/** A rule that the pack's list has not: the tool itself, or another pack's. */
function strangeRule(id: string, strangers: Readonly<Record<string, string>>) {
  const text = strangers[id] ?? `A policy of another pack: ${id}.`;
  return {
    id,
    name: inCapitals(id),
    shortDescription: { text },
    fullDescription: { text },
    help: { text },
    defaultConfiguration: { level: "warning" as const },
    properties: { tags: ["security"] },
  };
}
