// `npm run down`: destroys the stack and takes the lab's world away.
import { existsSync } from "node:fs";

import { layoutOf } from "../lab/layout.ts";
import { down } from "../lab/world.ts";
import { labArguments, requireLabMachine } from "./arguments.ts";
import { openRunningLab } from "./lab.ts";
import { stackFlags } from "./lab-config.ts";
import { Progress, runMain } from "./progress.ts";
import { pulumi } from "./stack.ts";

const USAGE = `Usage: npm run down [-- --name NAME]

Destroys the stack and removes every container, network, volume, process, interface
and firewall rule of the lab. Toolchain and images stay in the cache.`;

const { name } = labArguments(USAGE);

await runMain(async () => {
  requireLabMachine();
  const layout = layoutOf(name);
  const progress = new Progress(2);
  await progress.stage(
    "pulumi destroy",
    async () => {
      const operator = `/run/netns/${layout.machines.operator.netns}`;
      if (!existsSync(operator) || !existsSync(layout.boxes.kvm.socket)) return "no stack to destroy";
      const { stack } = await openRunningLab(name);
      if (!existsSync(stack.configFile)) return "no stack to destroy";
      // A killed \`up\` leaves its lock behind, and operations that never ended.
      await pulumi(stack, ["cancel", "--yes", "--stack", stack.name]);
      const run = await pulumi(stack, [
        "destroy",
        "--yes",
        "--skip-preview",
        "--exclude-protected",
        ...stackFlags(stack),
      ]);
      // What the engine could not destroy goes with the world.
      return run.code === 0 ? "done" : `left to the next stage (${lastLine(run.stdout + run.stderr)})`;
    },
    (said) => said,
  );
  await progress.stage(`the lab's world "${name}"`, () => down(name));
});

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
