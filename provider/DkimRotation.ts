import * as pulumi from "@pulumi/pulumi";

import type { DkimUses } from "../lib/dns/dkim-steps.ts";

/** Arguments of {@link DkimRotation}. */
export interface DkimRotationArgs {
  /** Selector → what its key is for. */
  uses: DkimUses;
  /** Selector → what its record says. */
  records: Record<string, pulumi.Input<string>>;
  /** Domains whose mail is signed. */
  domains: readonly string[];
  /** Servers to ask in the place of those that the DNS names, as `host:port`. @default [] */
  servers?: readonly string[];
}

/**
 * Which key signs, served by the plugin beside this file. What is to sign must be published at
 * every server of every domain first, and no step of a rotation may be left out: a preview refuses
 * that already.
 *
 * @example
 * new DkimRotation("dkim", { uses: { tw2026: "sign" }, records: { tw2026: key.record }, domains: [
 *   "example.org"] }, { provider })
 */
export class DkimRotation extends pulumi.CustomResource {
  constructor(name: string, args: DkimRotationArgs, options?: pulumi.CustomResourceOptions) {
    super("tailwart:dns:DkimRotation", name, { ...args }, options);
  }
}
