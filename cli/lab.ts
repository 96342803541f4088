import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { type LabFacts, labFacts } from "../lab/config.ts";
import { layoutOf, type Layout } from "../lab/layout.ts";
import { up } from "../lab/world.ts";
import { ensure } from "../tools/ensure.mjs";
import type { LabStack } from "./stack.ts";

/** A lab and the stack in it. */
export interface Lab {
  layout: Layout;
  stack: LabStack;
  facts: LabFacts;
}

/**
 * Opens a lab by its name.
 *
 * @param env the toolchain's environment
 * @param options.start start what does not run; otherwise the world is taken as it is
 */
export async function openLab(
  name: string,
  env: Record<string, string>,
  options: { start?: boolean } = {},
): Promise<Lab> {
  Object.assign(process.env, env);
  const layout = layoutOf(name);
  if (options.start) await up(name);
  const world = await labFacts(layout);
  const apiKey = (await readFile(world.apiKeyFile, "utf8")).trim();
  const folder = join(layout.stateDir, "pulumi");
  const stack: LabStack = {
    name,
    backend: folder,
    configFile: join(layout.stateDir, `Pulumi.${name}.yaml`),
    passphraseFile: world.passphraseFile,
    policyConfigFile: join(layout.stateDir, "policy-config.json"),
    netns: layout.machines.operator.netns,
    env: { ...env, TAILSCALE_API_KEY: apiKey },
  };
  return { layout, stack, facts: world };
}

/** The same for commands that only look: the toolchain is there, and so is the world. */
export async function openRunningLab(name: string): Promise<Lab> {
  const tools = await ensure(["engine", "lab"], { quiet: true });
  return openLab(name, tools.env);
}
