import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LabStack, mustPulumi, type PulumiOptions } from "../parts/pulumi-cli.ts";

/** The provider's version is its SDK's. */
const { version } = createRequire(import.meta.url)("@pulumi/tailscale/package.json") as { version: string };

/**
 * Takes the tailnet's present policy file into the stack's state, so that the first `up` changes it
 * instead of being refused: the provider never overwrites a policy that it has not read (decision
 * 10).
 *
 * @returns whether it was imported now; false when the state has it already
 */
export async function adoptPolicy(stack: LabStack, options: PulumiOptions = {}): Promise<boolean> {
  const exported = await mustPulumi(stack, ["stack", "export", "--stack", stack.name], options);
  if (exported.stdout.includes("tailscale:index/acl:Acl")) return false;
  const { file, remove } = await importFile();
  try {
    const flags = ["--stack", stack.name, "--config-file", stack.configFile];
    const args = ["import", "--file", file, "--yes", "--skip-preview", "--generate-code=false", ...flags];
    await mustPulumi(stack, args, options);
  } finally {
    await remove();
  }
  return true;
}

/** What `pulumi import --file` reads: the component first, since the Acl is its child. */
export async function importFile(): Promise<{ file: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-import-"));
  const file = join(folder, "import.json");
  const resources = [
    { type: "tailwart:mail:TailnetPolicy", name: "tailnet", component: true },
    { type: "tailscale:index/acl:Acl", name: "tailnet-acl", id: "acl", parent: "tailnet", version },
  ];
  await writeFile(file, JSON.stringify({ resources }));
  return { file, remove: () => rm(folder, { recursive: true }) };
}
