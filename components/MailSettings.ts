import * as pulumi from "@pulumi/pulumi";

import { toFileKeys, toSettingKeys } from "../lib/desired-state/keys/keys.ts";
import { keysWithoutGuards } from "../lib/desired-state/keys/without-guards.ts";
import { type Account, toAccounts, toGroups, toPrincipals } from "../lib/desired-state/keys/principals.ts";
import { toRegistryObjects } from "../lib/desired-state/registry/objects.ts";
import type { StalwartSettings } from "../lib/desired-state/schema.ts";
import type { LeftOut } from "../lib/guards.ts";
import type { Generation } from "../lib/stalwart/release.ts";
import { Registry } from "../provider/Registry.ts";
import { Settings } from "../provider/Settings.ts";

/** What the server is to be, and where it runs. */
export interface MailSettingsArgs {
  /** The desired state. */
  settings: StalwartSettings;
  /** How the server's line keeps its settings. */
  generation: Generation;
  /** Whether a first deploy may write over what somebody else has set up; from 0.16 on. */
  takeOver: boolean;
  dockerHost: string;
  /** Name of Stalwart's container; the API is asked in there. */
  container: pulumi.Input<string>;
  /** Only a lab leaves guards out. */
  withoutGuards?: LeftOut;
  /** Account name → bcrypt hash of its password. */
  accountHashes: Record<string, pulumi.Input<string>>;
  /** bcrypt hash of the password of settings.admin.user. */
  adminHash: pulumi.Input<string>;
}

/** Stalwart's settings as code (decision 7): previewed and put back setting by setting. */
export class MailSettings extends pulumi.ComponentResource {
  /**
   * The one resource that carries all of it: keys on the 0.15 line, objects of the registry on
   * later ones.
   */
  readonly settings: Settings | Registry;
  /** Accounts whose password is the one made for them. */
  readonly passwordsInForce: pulumi.Output<string[]>;

  constructor(name: string, args: MailSettingsArgs, opts: pulumi.ComponentResourceOptions) {
    // What says how to deploy is no difference of this component either.
    const { accountHashes, adminHash, takeOver, ...visible } = args;
    // What policies judge at preview: the relay stands out, though it is in the settings too
    // (lessons 8 and 10).
    super("tailwart:mail:MailSettings", name, { ...visible, relays: args.settings.relays }, opts);
    const { settings } = args;
    const target = { dockerHost: args.dockerHost, container: args.container };
    const admin = { name: settings.admin.user, secret: adminHash };
    const withHashes = (accounts: Record<string, Account>) =>
      Object.fromEntries(
        Object.entries(accounts).map(([account, rest]) => [
          account,
          { ...rest, secret: hashOf(accountHashes, account) },
        ]),
      );
    const principals = toPrincipals(settings);
    const deploying = !pulumi.runtime.isDryRun();
    const leftOut = args.withoutGuards && { withoutGuards: args.withoutGuards };
    this.settings =
      args.generation === "registry"
        ? new Registry(
            `${name}-stalwart`,
            {
              target,
              deploying,
              takeOver,
              objects: toRegistryObjects(settings),
              accounts: withHashes(toAccounts(settings)),
              groups: toGroups(settings),
              admin,
              ...leftOut,
            },
            { parent: this },
          )
        : new Settings(
            `${name}-stalwart`,
            {
              target,
              deploying,
              settings: { ...toSettingKeys(settings), ...keysWithoutGuards(args.withoutGuards) },
              fileSettings: toFileKeys(settings),
              domains: principals.domains,
              groups: principals.groups,
              lists: principals.lists,
              admin,
              accounts: withHashes(principals.accounts),
              ...leftOut,
            },
            { parent: this },
          );
    this.passwordsInForce = this.settings.passwordsInForce;
    this.registerOutputs({});
  }
}

function hashOf(hashes: Record<string, pulumi.Input<string>>, account: string): pulumi.Input<string> {
  const hash = hashes[account];
  if (hash === undefined) throw new Error(`no password was made for the account ${account}`);
  return hash;
}
