// `npm run verify`: the checks that `up` ends with, at any time, on the lab or on a stack of yours.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { labArguments } from "./parts/arguments.ts";
import { runMain } from "./parts/progress.ts";
import { enter, PROJECT } from "./parts/pulumi-cli.ts";
import { verifyTargetOf } from "./parts/verify-target.ts";
import { layoutOf, naming } from "../lab/topology.ts";
import { operatorOf } from "../lab/operator.ts";

const USAGE = `Usage: npm run verify [-- --name NAME | --stack STACK]

Asks a deployed stack whether it works: sidecar and Postgres, Stalwart's
greeting, the relay, and the way in through the edge.

  --name NAME     which lab (default: lab, or $TAILWART_LAB)
  --stack STACK   a stack of your own instead, by its Pulumi.STACK.yaml

Exit codes: 0 all of it works, 1 the cause is printed, 2 wrong usage.`;

const { name, values } = labArguments(USAGE, { stack: { type: "string" } });

await runMain(async () => {
  const stack = values["stack"] as string | undefined;
  const file = stack
    ? join(PROJECT, `Pulumi.${stack}.yaml`)
    : join(layoutOf(name).stateDir, `Pulumi.${name}.yaml`);
  if (!existsSync(file))
    throw stack
      ? new UserError(`there is no Pulumi.${stack}.yaml here`, { hint: "write: --stack prod" })
      : new UserError(`no stack is deployed in the lab "${name}"`, {
          hint: `run: npm run up${naming(name)}`,
        });
  const target = verifyTargetOf(file, stack ?? name);
  const checks = [join(PROJECT, "verify", "main.ts"), "sidecar", "stores", "stalwart", "relay", "edge"];
  const [program = "", ...args] = [...(stack ? [] : asOperator()), process.execPath, ...checks];
  const done = spawnSync(program, args, {
    input: JSON.stringify(target),
    stdio: ["pipe", "inherit", "inherit"],
  });
  process.exitCode = done.status ?? 1;
});

/** Only the lab's operator reaches its hosts. */
function asOperator(): string[] {
  const layout = layoutOf(name);
  return enter({ netns: layout.machines.operator.netns, passwd: operatorOf(layout).passwd });
}
