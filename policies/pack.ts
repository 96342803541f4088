import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PolicyPack, type PolicyPackArgs } from "@pulumi/policy";

import { exceptionsPolicy } from "./framework/exceptions-policy.ts";
import { PackRun, programDirectory } from "./framework/pack-state.ts";
import { toSdkPolicy } from "./framework/sdk-policy.ts";
import { missingMembers } from "./framework/wire/analyzer-service.ts";
import { onPolicyConfig } from "./framework/wire/on-configure.ts";
import { inSdksWay } from "./framework/wire/sdk-way.ts";
import { answerEngine } from "./framework/wire/serve.ts";
import { allPolicies } from "./rules/index.ts";

// Constructing a pack starts its server, prints the port on stdout and may be done once a process:
// never import this file from a test, and let nothing else write to stdout.
const run = new PackRun(allPolicies, programDirectory(process.cwd()));

// The SDK takes the version from the package.json of the working directory, which is the program's
// (and may have none). The pack's own is beside this file, or where `npm pack` has put compiled
// files, above dist/policies.
const here = import.meta.dirname;
process.chdir(existsSync(join(here, "package.json")) ? here : join(here, "../.."));
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

const name = "tailwart";
const policies = [...allPolicies.map((policy) => toSdkPolicy(policy, run)), exceptionsPolicy(run)];
if (missingMembers.length === 0) {
  onPolicyConfig((config) => run.configure(config));
  answerEngine({ name, version, policies, levelOf: (id) => run.levelOf(id) });
} else
  process.stderr.write(
    `tailwart's policies are asked in the SDK's own way, which is slower: this SDK lacks ${missingMembers.join(", ")}.\n` +
      "  Secrets are not told from other values (secrets-not-in-plain-sight), and a misspelt policy in\n" +
      "  the policy config is not refused. Install the @pulumi/policy that tailwart-policies names.\n",
  );

new PolicyPack(name, {
  description: "Refuses the changes that took a mail edge behind a tailnet down.",
  enforcementLevel: "mandatory",
  policies:
    missingMembers.length > 0
      ? inSdksWay(policies, run)
      : // Its functions take what wire/serve.ts passes them.
        (policies as unknown as PolicyPackArgs["policies"]),
});
