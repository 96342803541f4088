import * as pulumi from "@pulumi/pulumi";

import type { SettingsArgs } from "./Settings.ts";

/** Arguments of {@link Registry}. */
export interface RegistryArgs {
  /** Where the server is. */
  target: SettingsArgs["target"];
  /** toRegistryObjects() of the desired state: `Object/label`, or `Object` alone for a singleton → its declared properties. */
  objects: pulumi.Input<Record<string, pulumi.Input<Record<string, unknown>>>>;
}

/**
 * The settings of a Stalwart server of 0.16 or later as one resource, served by the plugin beside this file: a preview names each property that
 * changes, a refresh sees hand edits, an update writes only what differs, reloads, restarts where a start is needed, and reads back. Deleting it takes
 * the rows back and leaves domains, accounts and mail.
 *
 * @example new Registry("settings", { target: { dockerHost, container }, objects: toRegistryObjects(desired) }, { dependsOn: stalwart })
 */
export class Registry extends pulumi.CustomResource {
  /** The rows that were written, as they read back. */
  declare readonly objects: pulumi.Output<Record<string, Record<string, unknown>>>;

  constructor(name: string, args: RegistryArgs, options?: pulumi.CustomResourceOptions) {
    super("tailwart:mail:Registry", name, { ...args }, options);
  }
}
