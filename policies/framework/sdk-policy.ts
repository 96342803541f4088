import type { PolicyConfigSchema, Severity } from "@pulumi/policy";

import { PackRun } from "./pack-state.ts";
import { COMMON_SCHEMA } from "./policy-settings.ts";
import {
  describeExcepted,
  describeFinding,
  describeNotJudged,
  type PolicyDefinition,
  type PolicyResource,
  type Verdict,
} from "./policy.ts";
import { secretPathsOf } from "./wire/secret-paths.ts";

/** What a policy has to say. */
export interface ViolationReport {
  readonly message: string;
  /** The resource; default: the one that was asked about. */
  readonly urn?: string | undefined;
  /** Default: the level that the policy config gives the policy, or its own. */
  readonly enforcementLevel?: "advisory" | "mandatory";
  /** Default: the policy's own. */
  readonly severity?: Severity;
}

/** Where a policy reports to. A policy that reports nothing has passed. */
export interface Reporter {
  readonly report: (violation: ViolationReport) => void;
  /** The question does not concern the policy. */
  readonly notApplicable: (reason: string) => void;
}

/**
 * A policy as the pack serves it. The SDK reads its name and its kind (it knows the two kinds by
 * their methods' names), and wire/serve.ts asks it in the SDK's place.
 */
export interface SdkPolicy {
  readonly name: string;
  readonly description: string;
  readonly enforcementLevel: "advisory" | "mandatory";
  readonly severity: Severity;
  readonly tags?: string[];
  readonly remediationSteps: string;
  readonly url?: string;
  readonly configSchema: PolicyConfigSchema;
  /** The types whose resources validateResource is asked about. Default: all. */
  readonly resourceTypes?: readonly string[] | undefined;
  readonly validateResource?: (resource: PolicyResource, reporter: Reporter) => Promise<void> | void;
  readonly validateStack?: (resources: readonly PolicyResource[], reporter: Reporter) => Promise<void> | void;
}

/** @param urn of what is judged, where a finding names no other */
function report<Settings>(
  policy: PolicyDefinition<Settings>,
  run: PackRun,
  verdict: Verdict,
  urn: string,
  { report: send, notApplicable }: Reporter,
): void {
  if ("notApplicable" in verdict) return notApplicable(verdict.notApplicable);
  const { enforcementLevel, severity } = run.configOf(policy);
  for (const finding of verdict.findings) {
    const text = describeFinding(policy, finding);
    const exception = run.exceptions.cover(policy.id, finding.urn ?? urn, finding.where);
    const message = exception ? describeExcepted(exception, text) : text;
    send({
      message,
      urn: finding.urn,
      severity,
      enforcementLevel: exception || finding.advice ? "advisory" : enforcementLevel,
    });
  }
  for (const [of, gaps] of Map.groupBy(verdict.notJudged, (gap) => gap.urn)) {
    // Advisory: a first preview, where ids are unknown, must not fail for it.
    send({ message: describeNotJudged(gaps), urn: of, enforcementLevel: "advisory", severity: "low" });
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
  return {
    name: policy.id,
    description: policy.description,
    enforcementLevel: policy.enforcementLevel,
    severity: policy.severity,
    ...(policy.lesson !== undefined && { tags: [`lesson-${policy.lesson}`] }),
    remediationSteps: policy.remediation,
    url: policy.url,
    // The engine hands over nothing to a policy that has no schema.
    configSchema: { ...settings?.schema, properties: { ...COMMON_SCHEMA, ...settings?.schema.properties } },
    ...(judgeResource && {
      resourceTypes,
      validateResource: async (resource, reporter) => {
        run.remember(resource);
        const { props } = resource;
        const shown = seesSecrets ? { ...resource, secretPaths: secretPathsOf(props) } : resource;
        const verdict = await judgeResource(shown, run.configOf(policy).settings);
        report(policy, run, verdict, resource.urn, reporter);
      },
    }),
    ...(judgeStack && {
      validateStack: async (stack, reporter) => {
        const resources = stack.map((resource) => run.recall(resource));
        const verdict = await judgeStack(resources, run.configOf(policy).settings);
        report(policy, run, verdict, stackUrn(stack[0]?.urn), reporter);
      },
    }),
  };
}
