import { PolicyPack } from "@pulumi/policy";
import { allPolicies } from "./all.ts";
import { toSdkPolicy } from "./definition.ts";

// Constructing a pack starts its server, prints the port on stdout and may be done once a process: never import this file from a test,
// and let nothing else write to stdout. The SDK takes the version from the package.json of the working directory, which is the program's
// (and may have none): the pack's own directory has one.
process.chdir(import.meta.dirname);

new PolicyPack("tailwart", {
  description: "Refuses the changes that took a mail edge behind a tailnet down.",
  enforcementLevel: "mandatory",
  policies: allPolicies.map((policy) => toSdkPolicy(policy)),
});
