import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import type { Config } from "../../config/schema.ts";
import { stackFileConfig } from "../../config/stack-file.ts";
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

/**
 * The config in such a file. Its secrets stay encrypted.
 *
 * @param options as {@link stackFileConfig} takes them
 * @throws UserError when the config is refused
 */
export function configIn(file: string, options?: Parameters<typeof stackFileConfig>[1]): Config {
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Record<string, unknown> };
  return stackFileConfig({ ...config }, options);
}
