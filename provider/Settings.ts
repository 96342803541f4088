import * as pulumi from "@pulumi/pulumi";

import type { LeftOut } from "../lib/guards.ts";

/**
 * Arguments of {@link Settings}. Plain values wherever possible: they are what a preview shows and
 * what policies judge.
 */
export interface SettingsArgs {
  /** Where the server is. */
  target: {
    /** Docker daemon of Stalwart's container. @example "ssh://root@kvm.example.org" */
    dockerHost: pulumi.Input<string>;
    /** The container's name. @example "stalwart" */
    container: pulumi.Input<string>;
    /** The API as seen from inside the container. @default "http://127.0.0.1:8080" */
    api?: pulumi.Input<string>;
  };
  /** toSettingKeys() of the desired state: written through the API. */
  settings: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** toFileKeys() of the desired state: lives in config.toml, and is compared only. @default {} */
  fileSettings?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Domains whose mail is taken. One that is taken from the list stays. @default [] */
  domains?: pulumi.Input<string>[];
  /**
   * Accounts by login name, a quota in bytes. One that is taken from the map stays, with its mail.
   * @default {}
   */
  accounts?: Record<
    string,
    { emails: pulumi.Input<string>[]; quota?: pulumi.Input<number>; secret: pulumi.Input<string> }
  >;
  /**
   * Mailboxes that accounts share, by name. One that is taken from the map stays, with its mail.
   * @default {}
   */
  groups?: Record<
    string,
    { emails: pulumi.Input<string>[]; members: pulumi.Input<string>[]; quota?: pulumi.Input<number> }
  >;
  /** Mailing lists: address → recipients. One that is taken from the map is deleted. @default {} */
  lists?: Record<string, pulumi.Input<string>[]>;
  /**
   * Whether this is an `up` and no preview, which reaches no server: then a data store that does
   * not hold the last deploy any more counts as a difference. No difference by itself. @default
   * false
   */
  deploying?: boolean;
  /**
   * The account that the API is logged in to, by name and hash of its password. @default none is
   * made
   */
  admin?: { name: pulumi.Input<string>; secret: pulumi.Input<string> };
  /** Lessons whose guard is left out. In a lab alone. @default all guards are there */
  withoutGuards?: LeftOut;
}

/**
 * The settings of a Stalwart server as one resource, served by the plugin beside this file: a
 * preview names each setting that changes, a refresh sees hand edits, an update writes only what
 * differs, reloads and reads back. Deleting it takes the settings back and leaves domains, accounts
 * and mail.
 *
 * @example
 * new Settings("settings", { target: { dockerHost, container }, settings: toSettingKeys(desired),
 *   fileSettings: toFileKeys(desired), domains: desired.domains }, { dependsOn: stalwart })
 */
export class Settings extends pulumi.CustomResource {
  /** The keys that were written, as they read back. */
  declare readonly settings: pulumi.Output<Record<string, string>>;
  /**
   * Accounts whose password is the declared one: not one that had its own before, or got another
   * since.
   */
  declare readonly passwordsInForce: pulumi.Output<string[]>;

  constructor(name: string, args: SettingsArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { passwordsInForce: undefined };
    const admin = args.admin && { name: args.admin.name, secret: pulumi.secret(args.admin.secret) };
    const inputs = { ...args, accounts: secretHashes(args.accounts), ...(admin && { admin }) };
    super("tailwart:mail:Settings", name, { ...inputs, ...outputs }, options);
  }
}

/** Hashes are secrets, whether or not the program has marked them. */
export function secretHashes(accounts: SettingsArgs["accounts"] = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, account]) => [
      name,
      { ...account, secret: pulumi.secret(account.secret) },
    ]),
  );
}
