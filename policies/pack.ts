import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PolicyPack, type PolicyPackArgs } from "@pulumi/policy";

import { exceptionsPolicy } from "./framework/exceptions-policy.ts";
import { PackRun, programDirectory } from "./framework/pack-state.ts";
import { toSdkPolicy } from "./framework/sdk-policy.ts";
import { onPolicyConfig } from "./framework/wire/on-configure.ts";
import { answerEngine } from "./framework/wire/serve.ts";
import { allPolicies } from "./rules/index.ts";

// Constructing a pack starts its server, prints the port on stdout and may be done once a process:
// never import this file from a test, and let nothing else write to stdout.
const run = new PackRun(allPolicies, programDirectory(process.cwd()));
onPolicyConfig((config) => run.configure(config));

// The SDK takes the version from the package.json of the working directory, which is the program's
// (and may have none). The pack's own is beside this file, or where `npm pack` has put compiled
// files, above dist/policies.
const here = import.meta.dirname;
process.chdir(existsSync(join(here, "package.json")) ? here : join(here, "../.."));
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

const name = "tailwart";
const policies = [...allPolicies.map((policy) => toSdkPolicy(policy, run)), exceptionsPolicy(run)];
answerEngine({ name, version, policies, levelOf: (id) => run.levelOf(id) });

new PolicyPack(name, {
  description: "Refuses the changes that took a mail edge behind a tailnet down.",
  enforcementLevel: "mandatory",
  // Its functions take what wire/serve.ts passes them.
  policies: policies as unknown as PolicyPackArgs["policies"],
});
