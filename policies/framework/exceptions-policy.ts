import type { PolicyConfigSchema } from "@pulumi/policy";

import { EXCEPTIONS_FILE, type Exception } from "./exceptions.ts";
import { EXCEPTIONS_POLICY, type PackRun } from "./pack-state.ts";
import type { SdkPolicy, ViolationReport } from "./sdk-policy.ts";

export const EXCEPTIONS_DESCRIPTION = "Every exception has a reason and an end, and none has passed its end.";

const describe = ({ at, policy, urn, where }: Exception): string =>
  `${at}: ${policy} on ${urn}${where === undefined ? "" : ` at ${where}`}`;

export const EXCEPTIONS_SCHEMA = {
  properties: {
    file: {
      type: "string",
      description: `Path of the file, from the program's directory. Default: \`${EXCEPTIONS_FILE}\` there, if it exists.`,
    },
  },
} satisfies PolicyConfigSchema;

function expired(file: string, exception: Exception): string {
  return [
    `${file} ${describe(exception)} expired on ${exception.expires}.`,
    `  why: a policy that is excepted without an end is one that nobody keeps; the reason was: ${exception.reason}`,
    "  instead: mend the finding and delete the exception, or give it a new day and the reason for it",
  ].join("\n");
}

/** Reported before anything is made: those that have expired, and those in force. */
function standing({ exceptions: { file, expired: old, inForce } }: PackRun): ViolationReport[] {
  const list = inForce.map((each) => `  ${describe(each)} until ${each.expires}: ${each.reason}`);
  return [
    ...old.map((each) => ({ message: expired(file, each) })),
    ...(list.length === 0
      ? []
      : [
          advice([
            `${list.length} ${list.length === 1 ? "exception is" : "exceptions are"} in force (${file}):`,
            ...list,
          ]),
        ]),
  ];
}

/** Reported at the end, when every policy has judged. */
function idle({ exceptions }: PackRun, anyUrn: string): ViolationReport[] {
  const list = exceptions.unused(anyUrn).map((each) => `  ${describe(each)}`);
  const heading = `Exceptions that matched no finding in this run (${exceptions.file}); delete those that are not needed any more:`;
  return list.length === 0 ? [] : [advice([heading, ...list])];
}

const advice = (lines: readonly string[]): ViolationReport => ({
  message: lines.join("\n"),
  enforcementLevel: "advisory",
  severity: "low",
});

/**
 * The policy that keeps the exceptions. It has to be the last one of the pack, since they are asked
 * in turn about the stack. What has expired is reported on the stack's own resource, the first to
 * be registered: an `up` then ends before it has changed anything.
 */
export function exceptionsPolicy(run: PackRun): SdkPolicy {
  let isReported = false;
  return {
    name: EXCEPTIONS_POLICY,
    description: EXCEPTIONS_DESCRIPTION,
    enforcementLevel: "mandatory",
    severity: "high",
    remediationSteps: `Mend what an expired exception let pass and delete it from ${EXCEPTIONS_FILE}.`,
    configSchema: EXCEPTIONS_SCHEMA,
    resourceTypes: ["pulumi:pulumi:Stack"],
    validateResource: (_stack, { report }) => {
      isReported = true;
      standing(run).forEach(report);
    },
    validateStack: (resources, { report }) => {
      // A state for `pulumi policy analyze --file` may lack the stack's own resource.
      if (!isReported) standing(run).forEach(report);
      idle(run, resources[0]?.urn ?? "").forEach(report);
    },
  };
}
