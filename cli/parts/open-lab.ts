import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { type LabFacts, labFacts } from "../../lab/facts.ts";
import type { GivenImage } from "../../lab/images/given.ts";
import { layoutOf, type Layout } from "../../lab/topology.ts";
import { operatorOf } from "../../lab/operator.ts";
import { up } from "../../lab/lab.ts";
import { notedImages } from "../../lab/images/noted.ts";
import { ensure, type Group } from "../../tools/ensure.mjs";
import type { LabStack } from "./pulumi-cli.ts";

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
 * @param options.images what takes the built images' place when it starts
 */
export async function openLab(
  name: string,
  env: Record<string, string>,
  options: { start?: boolean; images?: readonly GivenImage[] } = {},
): Promise<Lab> {
  Object.assign(process.env, env);
  const layout = layoutOf(name);
  if (options.start) await up(name, { images: options.images ?? [] });
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
    etc: operatorOf(layout).etc,
    env: { ...env, TAILSCALE_API_KEY: apiKey },
  };
  return { layout, stack, facts: world };
}

/**
 * What of the toolchain a lab needs: its own Stalwart, which takes longest to make, only where no
 * other is given.
 */
export const groupsFor = (givenStalwart: string | undefined): Group[] =>
  givenStalwart === undefined ? ["engine", "lab", "server"] : ["engine", "lab"];

/** The same for commands that only look: the toolchain is there, and so is the world. */
export async function openRunningLab(name: string): Promise<Lab> {
  const tools = await ensure(groupsFor(notedImages(layoutOf(name))?.stalwart.source), { quiet: true });
  return openLab(name, tools.env);
}
