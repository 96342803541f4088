import type * as messages from "@pulumi/pulumi/proto/analyzer_pb.js";

import { changeService, type Method, sdk } from "./analyzer-service.ts";
import type { SdkPolicy } from "./sdk-policy.ts";

type Analyze = Method<messages.AnalyzeRequest, messages.AnalyzeResponse>;
type Remediate = Method<messages.AnalyzeRequest, messages.RemediateResponse>;
type MakeAnalyze = (pack: string, version: string, level: string, policies: readonly SdkPolicy[]) => Analyze;

/** A pack's policies, and what the SDK prints with what they say. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly enforcementLevel: "advisory" | "mandatory";
  readonly policies: readonly SdkPolicy[];
}

/**
 * Puts our answers to two of the engine's questions in the place of the SDK's. The engine asks both about each resource, and of a large preview
 * the SDK took more than all judging: it asks every policy about every resource, with arguments, an error and a promise for each that
 * only says it is not concerned, and unpacks a resource to ask none of them for a remediation.
 */
export function answerEngine(pack: Served): void {
  const { RemediateResponse: Empty } = analyzerMessages();
  const remediate: Remediate = (_call, callback) => callback(undefined, new Empty());
  changeService(() => ({ analyze: analyzeByType(pack), remediate }), ["remediate"]);
}

/**
 * The analyze method of a pack: asks only the policies that read resources of the type.
 *
 * @see https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto
 */
export function analyzeByType({ name, version, enforcementLevel, policies }: Served): Analyze {
  const { makeAnalyzeRpcFun } = sdk("./server.js") as { makeAnalyzeRpcFun: MakeAnalyze };
  const byType = new Map<string, Analyze>();
  const methodOf = (type: string): Analyze => {
    const [concerned, others] = partition(
      policies,
      ({ resourceTypes }) => resourceTypes?.includes(type) ?? true,
    );
    const analyze = makeAnalyzeRpcFun(name, version, enforcementLevel, concerned);
    const notApplicable = others.map(notConcerned);
    return (call, callback) =>
      analyze(call, (error, response) => {
        response?.setNotApplicableList([...response.getNotApplicableList(), ...notApplicable]);
        callback(error, response);
      });
  };
  return (call, callback) => {
    const type = call.request.getType();
    const method = byType.get(type) ?? methodOf(type);
    byType.set(type, method);
    return method(call, callback);
  };
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter((item) => belongs(item)), items.filter((item) => !belongs(item))];
}

/** Pulumi counts a policy as passed for a resource where the pack does not say that it was not concerned. */
function notConcerned({ name, resourceTypes = [] }: SdkPolicy): messages.PolicyNotApplicable {
  const { PolicyNotApplicable: Message } = analyzerMessages();
  const message = new Message();
  message.setPolicyName(name);
  message.setReason(`only ${resourceTypes.join(", ")} are read`);
  return message;
}

const analyzerMessages = () => sdk("@pulumi/pulumi/proto/analyzer_pb") as typeof messages;
