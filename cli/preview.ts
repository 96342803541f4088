// `npm run preview`: what the engine would change in the lab's stack, and what the policy pack says
// of it.
import { requireLabMachine } from "../lab/topology.ts";
import { labArguments } from "./parts/arguments.ts";
import { openRunningLab } from "./parts/open-lab.ts";
import { policyFlags, stackFlags } from "./parts/lab-config.ts";
import { runMain } from "./parts/progress.ts";
import { pulumi } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run preview [-- --name NAME [-- FLAG…]]

Shows what \`pulumi up\` would change in the lab's stack, and what the policy pack
says of it. Changes nothing.

  --name NAME   which lab (default: lab, or $TAILWART_LAB)
  FLAG…         further flags of \`pulumi preview\`, after a second \`--\`:
                npm run preview -- --name lab -- --diff

Exit codes: 0 it could be deployed, 2 wrong usage, another: pulumi's own.`;

const { name, rest } = labArguments(USAGE, {}, true);

await runMain(async () => {
  requireLabMachine();
  const { stack } = await openRunningLab(name);
  const args = ["preview", ...stackFlags(stack), ...policyFlags(stack), ...rest];
  process.exitCode = (await pulumi(stack, args, { show: true })).code;
});
