import * as pulumi from "@pulumi/pulumi";

import type { RegistryObjects } from "../lib/desired-state/registry/objects.ts";
import { rowsOnWire } from "./registry/rows-on-wire.ts";
import { secretHashes, type SettingsArgs } from "./Settings.ts";

/** Arguments of {@link Registry}. */
export interface RegistryArgs {
  /** Where the server is. */
  target: SettingsArgs["target"];
  /**
   * toRegistryObjects() of the desired state: `Object/label`, or `Object` alone for a singleton →
   * its declared properties.
   */
  objects: RegistryObjects;
  /**
   * Accounts by name, each with its own address first, in declared domains. One that is taken from
   * the map stays, with its mail. @default {}
   */
  accounts?: SettingsArgs["accounts"];
  /** See SettingsArgs; each with its own address first. @default {} */
  groups?: SettingsArgs["groups"];
  /** See SettingsArgs. @default false */
  deploying?: boolean;
  /**
   * Whether a first deploy may change and destroy what somebody else has set up; without it that
   * deploy lists it and writes nothing. No difference by itself. @default false
   */
  takeOver?: boolean;
  /** See SettingsArgs. @default none is made */
  admin?: SettingsArgs["admin"];
  /** See SettingsArgs. @default all guards are there */
  withoutGuards?: SettingsArgs["withoutGuards"];
}

/**
 * The settings of a Stalwart server of 0.16 or later as one resource, served by the plugin beside
 * this file: a preview names each property that changes, a refresh sees hand edits, an update
 * writes only what differs, reloads, restarts where a start is needed, and reads back. Deleting it
 * takes the rows back and leaves domains, accounts and mail.
 *
 * @example
 * new Registry("settings", { target: { dockerHost, container }, objects: toRegistryObjects(desired)
 *   }, { dependsOn: stalwart })
 */
export class Registry extends pulumi.CustomResource {
  /** Accounts whose password is the declared one, as far as the API can tell: it shows no hash. */
  declare readonly passwordsInForce: pulumi.Output<string[]>;

  constructor(name: string, args: RegistryArgs, options?: pulumi.CustomResourceOptions) {
    const admin = args.admin && { name: args.admin.name, secret: pulumi.secret(args.admin.secret) };
    const objects = rowsOnWire(args.objects);
    const inputs = { ...args, objects, accounts: secretHashes(args.accounts), ...(admin && { admin }) };
    super("tailwart:mail:Registry", name, { ...inputs, passwordsInForce: undefined }, options);
  }
}
