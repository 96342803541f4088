// A sidecar that is another node at each start.
import type { Lab } from "./open-lab.ts";
import { mustPulumi } from "./pulumi-cli.ts";

export const EPHEMERAL = { "tailwart:tailnet/identity": "ephemeral" };

/** Lets the next deploy be one with such a sidecar: the state of the one before is protected. */
export async function mayBecomeEphemeral({ lab: { stack } }: { lab: Lab }): Promise<void> {
  await mustPulumi(stack, ["state", "unprotect", "--all", "--yes", "--stack", stack.name]);
}
