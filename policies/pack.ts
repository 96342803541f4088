import { existsSync } from "node:fs";
import { join } from "node:path";
import { PolicyPack } from "@pulumi/policy";

import { allPolicies } from "./all.ts";
import { exceptionsPolicy } from "./exceptions-policy.ts";
import { PackRun, programDirectory } from "./pack-run.ts";
import { onPolicyConfig } from "./policy-config.ts";
import { toSdkPolicy } from "./sdk-policy.ts";
import { unpackOnce } from "./unpack-once.ts";

// Constructing a pack starts its server, prints the port on stdout and may be done once a process: never import this file from a test,
// and let nothing else write to stdout.
const run = new PackRun(allPolicies, programDirectory(process.cwd()));
const seeSecrets = allPolicies.filter((policy) => policy.seesSecrets).map((policy) => policy.id);
unpackOnce();
onPolicyConfig(new Set(seeSecrets), (config) => run.configure(config));

// The SDK takes the version from the package.json of the working directory, which is the program's (and may have none). The pack's own
// is beside this file, or where `npm pack` has put compiled files, above dist/policies.
const here = import.meta.dirname;
process.chdir(existsSync(join(here, "package.json")) ? here : join(here, "../.."));

new PolicyPack("tailwart", {
  description: "Refuses the changes that took a mail edge behind a tailnet down.",
  enforcementLevel: "mandatory",
  policies: [...allPolicies.map((policy) => toSdkPolicy(policy, run)), exceptionsPolicy(run)],
});
