// Looks at the tailnet's live policy: `node verify/policy.ts drift|tests`, with a PolicyOrder as
// JSON on stdin.
import { UserError } from "../lib/errors.ts";
import { driftOf } from "./drift.ts";
import { runOnInput } from "./run.ts";
import { apiAccess, failedTests, livePolicy } from "./tailscale-api.ts";

/** What this program is told. */
export interface PolicyOrder {
  /** The document that is about to be deployed. */
  desired: string;
  /** The file that holds the user's own part, for the message. */
  policyFile: string;
  /**
   * What the control server is asked to evaluate: entries as the policy file's `tests` has them.
   */
  tests: unknown[];
}

/**
 * Refuses a deploy that would overwrite what somebody changed by hand. What it prints is what the
 * next run compares with: Pulumi hands a command its previous output.
 */
async function drift({ desired, policyFile }: PolicyOrder): Promise<string> {
  const live = await livePolicy(await apiAccess(process.env));
  const { foreign, own, record } = driftOf(live, desired, process.env["PULUMI_COMMAND_STDOUT"] ?? "");
  if (foreign !== "") {
    throw new UserError(
      `the live policy differs from ${policyFile} outside of tailwart's entries:\n${foreign}`,
      { hint: `take the change into ${policyFile}, or undo it in the admin console; then deploy again` },
    );
  }
  if (own !== "") {
    throw new UserError(`somebody has changed tailwart's own entries in the live policy:\n${own}`, {
      hint: `put what you need into ${policyFile}, outside of the marks, and take tailwart's entries and marks out of the live policy; then deploy again`,
    });
  }
  return `nobody has changed the live policy by hand; ${record}`;
}

/**
 * Evaluates the flow table's tests, which the control server can do only once the nodes are there.
 */
async function tests({ tests }: PolicyOrder): Promise<string> {
  const failed = await failedTests(await apiAccess(process.env), tests);
  if (failed.length === 0) return `the policy opens what the flow table needs (${tests.length} tests)`;
  throw new UserError(
    `the tailnet's policy does not open what the flow table needs:\n  ${failed.join("\n  ")}`,
  );
}

const verbs = { drift, tests };
const verb = verbs[process.argv[2] as keyof typeof verbs];
if (verb === undefined) {
  console.error("usage: node verify/policy.ts drift|tests  (a policy order as JSON on stdin)");
  process.exit(2);
}
await runOnInput(verb);
