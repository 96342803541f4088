// `npm run preview`: what the engine would change in the lab's stack, and what the policy pack says of it.
import { labArguments, requireLabMachine } from "./arguments.ts";
import { openRunningLab } from "./lab.ts";
import { policyFlags, stackFlags } from "./lab-config.ts";
import { runMain } from "./progress.ts";
import { pulumi } from "./stack.ts";

const USAGE = `Usage: npm run preview [-- --name NAME] [-- further flags of pulumi preview]`;

const { name, rest } = labArguments(USAGE);

await runMain(async () => {
  requireLabMachine();
  const { stack } = await openRunningLab(name);
  const args = ["preview", ...stackFlags(stack), ...policyFlags(stack), ...rest];
  process.exitCode = (await pulumi(stack, args, { show: true })).code;
});
