import type {
  ReportViolation,
  ResourceValidationPolicy,
  Severity,
  StackValidationPolicy,
} from "@pulumi/policy";

import { describeExcepted, describeFinding, describeNotJudged } from "./definition.ts";
import type { Judgement, PolicyDefinition } from "./definition.ts";
import { PackRun } from "./pack-run.ts";
import { secretPathsOf } from "./secrets.ts";
import { COMMON_SCHEMA } from "./settings.ts";
import { withoutTrace } from "./visit.ts";

/** @pulumi/policy takes such an object at runtime (server.js, makeReportViolationFun); its types know only the string. */
export interface ViolationReport {
  readonly message: string;
  readonly urn?: string | undefined;
  readonly enforcementLevel?: "advisory" | "mandatory";
  readonly severity?: Severity;
}

/** What the SDK takes: a policy may judge each resource and the stack (server.js asks isResourcePolicy and isStackPolicy separately). */
export type SdkPolicy = (ResourceValidationPolicy | StackValidationPolicy) & {
  /** The types whose resources validateResource is asked about; all, where there are none, see answers.ts. */
  readonly resourceTypes?: readonly string[] | undefined;
};

export function sender(reportViolation: ReportViolation): (report: ViolationReport) => void {
  return reportViolation as unknown as (report: ViolationReport) => void;
}

/** @param subject URN of what is judged, where a finding names no other */
function report<Settings>(
  policy: PolicyDefinition<Settings>,
  run: PackRun,
  judgement: Judgement,
  subject: string,
  reportViolation: ReportViolation,
): void {
  const send = sender(reportViolation);
  const { level, severity } = run.told(policy);
  for (const finding of judgement.findings) {
    const { urn } = finding;
    const text = describeFinding(policy, finding);
    const exception = run.exceptions.cover(policy.id, urn ?? subject);
    const message = exception ? describeExcepted(exception, text) : text;
    send({ message, urn, severity, enforcementLevel: exception ? "advisory" : level });
  }
  const byResource = Map.groupBy(judgement.notJudged, (gap) => gap.urn);
  for (const [urn, gaps] of byResource) {
    // Advisory: a gap is to be seen, but a first preview, where ids and generated passwords are unknown, must not fail for it.
    send({ message: describeNotJudged(gaps), urn, enforcementLevel: "advisory", severity: "low" });
  }
}

/** Tells the SDK that a policy does not concern a resource: it takes an error for an answer. */
function skip(args: { notApplicable(reason?: string): never }, reason: string): never {
  return withoutTrace(() => args.notApplicable(reason));
}

/** URN of the stack's own resource, to which a finding belongs that names no other. */
function stackUrn(anyUrn = ""): string {
  const [, stack = "", project = ""] = /^urn:pulumi:([^:]*)::([^:]*)::/.exec(anyUrn) ?? [];
  return `urn:pulumi:${stack}::${project}::pulumi:pulumi:Stack::${project}-${stack}`;
}

/** Makes the SDK's policy of a definition. */
export function toSdkPolicy<Settings>(
  policy: PolicyDefinition<Settings>,
  run: PackRun = new PackRun([policy], "/"),
): SdkPolicy {
  const { judgeResource, judgeStack, resourceTypes, seesSecrets, settings } = policy;
  return {
    name: policy.id,
    description: policy.description,
    enforcementLevel: policy.level,
    severity: policy.severity,
    ...(policy.lesson !== undefined && { tags: [`lesson-${policy.lesson}`] }),
    remediationSteps: policy.remediation,
    url: policy.url,
    // The engine hands over nothing to a policy that has no schema.
    configSchema: { ...settings?.schema, properties: { ...COMMON_SCHEMA, ...settings?.schema.properties } },
    ...(judgeResource && {
      resourceTypes,
      validateResource: async (args, reportViolation) => {
        run.remember(args);
        const subject = seesSecrets ? { ...args, secretPaths: secretPathsOf(args.props) } : args;
        const verdict = await judgeResource(subject, run.told(policy).settings);
        if ("notApplicable" in verdict) return skip(args, verdict.notApplicable);
        report(policy, run, verdict, args.urn, reportViolation);
      },
    }),
    ...(judgeStack && {
      validateStack: async (args, reportViolation) => {
        const resources = args.resources.map((resource) => run.recall(resource));
        const verdict = await judgeStack(resources, run.told(policy).settings);
        if ("notApplicable" in verdict) return skip(args, verdict.notApplicable);
        report(policy, run, verdict, stackUrn(args.resources[0]?.urn), reportViolation);
      },
    }),
  } as SdkPolicy;
}
