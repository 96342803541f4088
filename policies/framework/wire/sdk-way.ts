import type { PolicyPackArgs, ReportViolation } from "@pulumi/policy";

import type { PackRun } from "../pack-state.ts";
import type { Reporter, SdkPolicy } from "../sdk-policy.ts";

/** What the SDK gives a validation beside the resource or the stack. */
interface Asked {
  getConfig: () => Readonly<Record<string, unknown>>;
  notApplicable: (reason?: string) => never;
}

/**
 * Policies for an SDK that lacks what serve.ts answers through: it asks each of them itself. That
 * takes longer; secrets come without their marks, so what `seesSecrets` is not judged; and nobody
 * sees the policy config as a whole, so a misspelt policy in there is not refused.
 */
export function inSdksWay(policies: readonly SdkPolicy[], run: PackRun): PolicyPackArgs["policies"] {
  return policies.map(({ resourceTypes, validateResource, validateStack, ...card }) => {
    const reporterOf = (asked: Asked, report: ReportViolation): Reporter => {
      run.configurePart(card.name, asked.getConfig());
      // An object is taken, too (server.js, makeReportViolationFun); its type has no word of it.
      const send = report as unknown as (violation: object) => void;
      return {
        report: ({ enforcementLevel, ...violation }) =>
          // All else than advice has the level that the SDK knows from the policy config.
          send(enforcementLevel === "advisory" ? { ...violation, enforcementLevel } : violation),
        notApplicable: asked.notApplicable,
      };
    };
    return {
      ...card,
      ...(validateResource && {
        validateResource: async (resource, report) => {
          if (resourceTypes && !resourceTypes.includes(resource.type))
            resource.notApplicable(`only ${resourceTypes.join(", ")} are read`);
          await validateResource(resource, reporterOf(resource, report));
        },
      }),
      ...(validateStack && {
        validateStack: async (stack, report) => {
          await validateStack(stack.resources, reporterOf(stack, report));
        },
      }),
    };
  });
}
