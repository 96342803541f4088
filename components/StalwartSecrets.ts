import { RandomPassword } from "@pulumi/random/randomPassword.js";
import * as pulumi from "@pulumi/pulumi";

import type { LoadedConfig } from "../config/load.ts";
import type { StalwartSettings } from "../lib/desired-state/schema.ts";
import { API_LOGIN } from "../lib/stalwart/paths.ts";

/** Whose passwords are made. */
export interface StalwartSecretsArgs {
  /** Login name of the account through which the API is reached. */
  adminUser: string;
  accounts: { name: string }[];
}

/**
 * The passwords that tailwart makes up: the API's and one for each account. They lie encrypted in
 * the state; what Stalwart itself gets of them is a hash.
 */
export class StalwartSecrets extends pulumi.ComponentResource {
  /** The administrator's password, for the stack's output. */
  readonly adminPassword: pulumi.Output<string>;
  /** bcrypt hash of it. */
  readonly adminHash: pulumi.Output<string>;
  /** What the API is logged in with: user, colon, password. */
  readonly apiLogin: pulumi.Output<string>;
  /** Account name → bcrypt hash. */
  readonly accountHashes: Record<string, pulumi.Output<string>>;
  readonly #passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: StalwartSecretsArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("tailwart:mail:StalwartSecrets", name, args, opts);
    const password = (whose: string) =>
      new RandomPassword(`${name}-${whose}`, { length: 32, special: false }, { parent: this });

    const admin = password("api");
    const accounts = args.accounts.map(
      ({ name: account }) => [account, password(`account-${account}`)] as const,
    );
    this.adminPassword = pulumi.secret(admin.result);
    this.adminHash = admin.bcryptHash;
    this.apiLogin = pulumi.interpolate`${args.adminUser}:${admin.result}`;
    this.accountHashes = Object.fromEntries(accounts.map(([account, made]) => [account, made.bcryptHash]));
    this.#passwords = pulumi.secret(
      pulumi.all(Object.fromEntries(accounts.map(([account, made]) => [account, made.result]))),
    );
    this.registerOutputs({});
  }

  /**
   * Account name → password, for the stack's output. A secret.
   *
   * @param inForce those whose password the server has: what opens nothing is left out
   */
  accountPasswords(inForce: pulumi.Input<string[]>): pulumi.Output<Record<string, string>> {
    return pulumi.all([this.#passwords, inForce]).apply(([all, names]) => {
      const set = new Set(names);
      return Object.fromEntries(Object.entries(all).filter(([account]) => set.has(account)));
    });
  }
}

/** Every secret that Stalwart reads as a file: path in the container → content. */
export function secretFiles(
  { postgres, admin, relays, blobStore, inMemoryStore, dnsProvider }: StalwartSettings,
  given: LoadedConfig["secrets"],
  made: StalwartSecrets,
  dkimKeys: Record<string, pulumi.Output<string>>,
): Record<string, pulumi.Output<string>> {
  const files: Record<string, pulumi.Output<string>> = {
    [postgres.passwordFile]: pulumi.secret(given.postgresPassword),
    [admin.hashFile]: made.adminHash,
    [API_LOGIN]: made.apiLogin,
    ...dkimKeys,
  };
  for (const { auth } of relays) {
    if (auth) files[auth.secretFile] = pulumi.secret(given.relayPassword ?? "");
  }
  if (blobStore) files[blobStore.secretFile] = pulumi.secret(given.blobStoreSecret ?? "");
  // It becomes part of a URL.
  if (inMemoryStore?.auth)
    files[inMemoryStore.auth.secretFile] = pulumi.secret(encodeURIComponent(given.inMemoryStoreSecret ?? ""));
  if (dnsProvider) files[dnsProvider.secretFile] = pulumi.secret(given.dnsSecret ?? "");
  if (dnsProvider?.type === "ovh")
    files[dnsProvider.consumerKeyFile] = pulumi.secret(given.dnsConsumerKey ?? "");
  return files;
}
