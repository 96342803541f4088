import type { EnforcementLevel } from "@pulumi/policy";

import type { Reporter, SdkPolicy, ViolationReport } from "../sdk-policy.ts";
import { changeService, type Method, sdkMember } from "./analyzer-service.ts";
import { resourceOf, resourcesOf } from "./resources.ts";
import type * as messages from "@pulumi/pulumi/proto/analyzer_pb.js";

/** A pack's policies, and the name and version that each of their reports carries. */
export interface Pack {
  readonly name: string;
  readonly version: string;
  readonly policies: readonly SdkPolicy[];
  /** The level that the policy config gives a policy. Default: the policy's own. */
  readonly levelOf?: (policy: string) => EnforcementLevel | undefined;
}

/** The methods of a pack's server that ask its policies. */
export interface Answers {
  readonly analyze: Method<messages.AnalyzeRequest, messages.AnalyzeResponse>;
  readonly analyzeStack: Method<messages.AnalyzeStackRequest, messages.AnalyzeResponse>;
  readonly remediate: Method<messages.AnalyzeRequest, messages.RemediateResponse>;
}

/** What the SDK makes a diagnostic of (protoutil.js). */
type Diagnostic = ViolationReport & {
  readonly policyName: string;
  readonly policyPackName: string;
  readonly policyPackVersion: string;
};

const fromProto = <Member>(name: string) => sdkMember<Member>("@pulumi/pulumi/proto/analyzer_pb", name);
const PolicyNotApplicable = fromProto<typeof messages.PolicyNotApplicable>("PolicyNotApplicable");
const RemediateResponse = fromProto<typeof messages.RemediateResponse>("RemediateResponse");
const asGrpcError = sdkMember<(error: unknown, message: string) => Error>("./protoutil.js", "asGrpcError");
const makeAnalyzeResponse = sdkMember<
  (
    diagnostics: readonly Diagnostic[],
    notApplicable: readonly messages.PolicyNotApplicable[],
  ) => messages.AnalyzeResponse
>("./protoutil.js", "makeAnalyzeResponse");
const UnknownValueError = sdkMember<ErrorConstructor>("./proxy.js", "UnknownValueError");

/**
 * Puts our answers to the engine's questions about resources in the place of the SDK's, which took
 * more of a preview than all judging. It asks every policy about every resource, with arguments of
 * its own, an unpacked provider and a promise for each, and an error for each that only says it is
 * not applicable; it unpacks a resource once more to ask none of them for a remediation, and all of
 * a stack's for each policy.
 */
export function answerEngine(pack: Pack): void {
  changeService(() => answersOf(pack), ["remediate"]);
}

/** @see https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto */
export function answersOf(pack: Pack): Answers {
  const byType = new Map<string, Applicable>();
  const applicableTo = (type: string): Applicable => {
    const applicable = byType.get(type) ?? findApplicable(type, pack);
    byType.set(type, applicable);
    return applicable;
  };
  return {
    analyze: answering(async ({ request }) => {
      const resource = resourceOf(request);
      const { asked, others } = applicableTo(resource.type);
      return ask(pack, asked, others, ({ validateResource }, reporter) =>
        validateResource?.(resource, reporter),
      );
    }),
    analyzeStack: answering(async ({ request }) => {
      const resources = resourcesOf(request);
      const asked = activeOf(pack).filter(({ validateStack }) => validateStack);
      return ask(pack, asked, [], ({ validateStack }, reporter) => validateStack?.(resources, reporter));
    }),
    // No policy of this pack mends anything.
    remediate: (_call, callback) => callback(undefined, new RemediateResponse()),
  };
}

/** A method that calls back with what a function returns, or throws. */
const answering =
  <Request, Response>(
    answer: (call: { readonly request: Request }) => Promise<Response>,
  ): Method<Request, Response> =>
  (call, callback) =>
    answer(call).then((response) => callback(undefined, response), callback);

interface Applicable {
  readonly asked: readonly SdkPolicy[];
  /** Without these Pulumi counts the policies as passed for the resource. */
  readonly others: readonly messages.PolicyNotApplicable[];
}

function findApplicable(type: string, pack: Pack): Applicable {
  const active = activeOf(pack).filter(({ validateResource }) => validateResource);
  const reads = ({ resourceTypes }: SdkPolicy): boolean => resourceTypes?.includes(type) ?? true;
  return {
    asked: active.filter(reads),
    others: active
      .filter((policy) => !reads(policy))
      .map(({ name, resourceTypes = [] }) => inapplicable(name, `only ${resourceTypes.join(", ")} are read`)),
  };
}

const activeOf = (pack: Pack): readonly SdkPolicy[] =>
  pack.policies.filter(({ name }) => pack.levelOf?.(name) !== "disabled");

/** Asks policies one after the other, and puts together what they say. */
async function ask(
  { name: policyPackName, version: policyPackVersion, levelOf }: Pack,
  policies: readonly SdkPolicy[],
  others: readonly messages.PolicyNotApplicable[],
  judge: (policy: SdkPolicy, reporter: Reporter) => Promise<void> | void,
): Promise<messages.AnalyzeResponse> {
  const diagnostics: Diagnostic[] = [];
  const notApplicable = [...others];
  for (const policy of policies) {
    const { name: policyName, description, severity } = policy;
    const level = levelOf?.(policyName) ?? policy.enforcementLevel;
    const enforcementLevel: SdkPolicy["enforcementLevel"] = level === "advisory" ? level : "mandatory";
    const pack = { policyName, description, severity, enforcementLevel, policyPackName, policyPackVersion };
    try {
      await judge(policy, {
        report: (violation) => diagnostics.push({ ...pack, ...violation }),
        notApplicable: (reason) => notApplicable.push(inapplicable(policyName, reason)),
      });
    } catch (error) {
      const title = `policy '${policyName}' from policy pack '${policyPackName}@v${policyPackVersion}'`;
      if (!(error instanceof UnknownValueError))
        throw asGrpcError(error, `Error validating resource with ${title}`);
      const message = `can't run ${title} during preview: ${error.message}`;
      diagnostics.push({ ...pack, message, enforcementLevel: "advisory" });
    }
  }
  return makeAnalyzeResponse(diagnostics, notApplicable);
}

function inapplicable(policy: string, reason: string): messages.PolicyNotApplicable {
  const message = new PolicyNotApplicable();
  message.setPolicyName(policy);
  message.setReason(reason);
  return message;
}
