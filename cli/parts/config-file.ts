import { existsSync } from "node:fs";
import { join } from "node:path";

import { layoutOf, naming } from "../../lab/topology.ts";
import { UserError } from "../../lib/errors.ts";
import { stackFileOf } from "../review/stack-files.ts";
import { PROJECT } from "./pulumi-cli.ts";

/**
 * The config file of a stack of the user's own, or of the one that is deployed in a lab.
 *
 * @param stack by its `Pulumi.<stack>.yaml`; without it the lab's
 * @throws UserError when there is none
 */
export function configFileOf(stack: string | undefined, lab: string): string {
  const file = stack ? stackFileOf(PROJECT, stack) : join(layoutOf(lab).stateDir, `Pulumi.${lab}.yaml`);
  if (existsSync(file)) return file;
  throw stack
    ? new UserError(`there is no Pulumi.${stack}.yaml here`, { hint: "write: --stack prod" })
    : new UserError(`no stack is deployed in the lab "${lab}"`, { hint: `run: npm run up${naming(lab)}` });
}
