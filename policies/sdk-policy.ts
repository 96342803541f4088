import type {
  ReportViolation,
  ResourceValidation,
  ResourceValidationPolicy,
  Severity,
  StackValidationPolicy,
} from "@pulumi/policy";

import { describeExcepted, describeFinding, describeNotJudged } from "./definition.ts";
import type { Judgement, PolicyDefinition } from "./definition.ts";
import { PackRun } from "./pack-run.ts";
import { secretsOfResources } from "./secrets.ts";
import { COMMON_SCHEMA } from "./settings.ts";

/** @pulumi/policy takes such an object at runtime (server.js, makeReportViolationFun); its types know only the string. */
export interface ViolationReport {
  readonly message: string;
  readonly urn?: string | undefined;
  readonly enforcementLevel?: "advisory";
  readonly severity?: Severity;
}

/** What the SDK takes: a policy may judge each resource and the stack (server.js asks isResourcePolicy and isStackPolicy separately). */
export type SdkPolicy = ResourceValidationPolicy | StackValidationPolicy;

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
    const isAdvice = exception !== undefined || level === "advisory";
    send({ message, urn, severity, ...(isAdvice && { enforcementLevel: "advisory" }) });
  }
  const byResource = Map.groupBy(judgement.notJudged, (gap) => gap.urn);
  for (const [urn, gaps] of byResource) {
    // Advisory: a gap is to be seen, but a first preview, where ids and generated passwords are unknown, must not fail for it.
    send({ message: describeNotJudged(gaps), urn, enforcementLevel: "advisory", severity: "low" });
  }
}

/** Marks a function as the SDK's own typed helper does, which would load the resource's class: others are then never unpacked for it. */
export function ofType(
  types: readonly string[] | undefined,
  validate: ResourceValidation,
): ResourceValidation {
  return types?.length === 1 ? Object.assign(validate, { __pulumiType: types[0] }) : validate;
}

/**
 * Tells the SDK that a policy does not concern a resource, which throws an error. Most policies say so of most resources; to note where from
 * takes longer than the policy itself, and nobody reads it.
 */
function skip(args: { notApplicable(reason?: string): never }, reason: string): never {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return args.notApplicable(reason);
  } finally {
    Error.stackTraceLimit = limit;
  }
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
  const secrets = seesSecrets && secretsOfResources();
  return {
    name: policy.id,
    description: policy.description,
    enforcementLevel: secrets ? "remediate" : policy.level,
    severity: policy.severity,
    ...(policy.lesson !== undefined && { tags: [`lesson-${policy.lesson}`] }),
    remediationSteps: policy.remediation,
    url: policy.url,
    // The engine hands over nothing to a policy that has no schema.
    configSchema: { ...settings?.schema, properties: { ...COMMON_SCHEMA, ...settings?.schema.properties } },
    ...(secrets && { remediateResource: secrets.remember }),
    ...(judgeResource && {
      validateResource: ofType(resourceTypes, async (args, reportViolation) => {
        run.remember(args);
        if (resourceTypes && !resourceTypes.includes(args.type))
          return skip(args, `only ${resourceTypes.join(", ")} are read`);
        const subject = secrets ? { ...args, secretPaths: secrets.of(args.urn) } : args;
        const verdict = await judgeResource(subject, run.told(policy).settings);
        if ("notApplicable" in verdict) return skip(args, verdict.notApplicable);
        report(policy, run, verdict, args.urn, reportViolation);
      }),
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
