import { RandomPassword } from "@pulumi/random/randomPassword.js";
import * as pulumi from "@pulumi/pulumi";

import type { LoadedConfig } from "../config/load.ts";
import type { StalwartSettings } from "../lib/settings/schema.ts";
import { API_CURLRC } from "../lib/stalwart/paths.ts";

/** Whose passwords are made. */
export interface StalwartSecretsArgs {
  /** Login name of the account through which the API is reached. */
  adminUser: string;
  accounts: { name: string }[];
}

/**
 * The passwords that tailwart makes up: the API's and one for each account. They lie encrypted in the state;
 * what Stalwart itself gets of them is a hash.
 */
export class StalwartSecrets extends pulumi.ComponentResource {
  /** bcrypt hash of the API's password. */
  readonly adminHash: pulumi.Output<string>;
  /** What curl in the container logs in with: a config file for `curl --config`. */
  readonly apiCurlrc: pulumi.Output<string>;
  /** Account name → bcrypt hash. */
  readonly accountHashes: Record<string, pulumi.Output<string>>;
  /** Account name → password, for the stack's output. */
  readonly accountPasswords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: StalwartSecretsArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("tailwart:mail:StalwartSecrets", name, args, opts);
    const password = (whose: string) =>
      new RandomPassword(`${name}-${whose}`, { length: 32, special: false }, { parent: this });

    const admin = password("api");
    const accounts = args.accounts.map(
      ({ name: account }) => [account, password(`account-${account}`)] as const,
    );
    this.adminHash = admin.bcryptHash;
    this.apiCurlrc = pulumi.interpolate`user = "${args.adminUser}:${admin.result}"\n`;
    this.accountHashes = Object.fromEntries(accounts.map(([account, made]) => [account, made.bcryptHash]));
    this.accountPasswords = pulumi.secret(
      pulumi.all(Object.fromEntries(accounts.map(([account, made]) => [account, made.result]))),
    );
    this.registerOutputs({});
  }
}

/** Every secret that Stalwart reads as a file: path in the container → content. */
export function secretFiles(
  { postgres, admin, relays, blobStore, dnsProvider }: StalwartSettings,
  given: LoadedConfig["secrets"],
  made: StalwartSecrets,
): Record<string, pulumi.Output<string>> {
  const files: Record<string, pulumi.Output<string>> = {
    [postgres.passwordFile]: pulumi.secret(given.postgresPassword),
    [admin.hashFile]: made.adminHash,
    [API_CURLRC]: made.apiCurlrc,
  };
  for (const { auth } of relays) {
    if (auth) files[auth.secretFile] = pulumi.secret(given.relayPassword ?? "");
  }
  if (blobStore) files[blobStore.secretFile] = pulumi.secret(given.blobStoreSecret ?? "");
  if (dnsProvider) files[dnsProvider.secretFile] = pulumi.secret(given.dnsSecret ?? "");
  if (dnsProvider?.type === "ovh")
    files[dnsProvider.consumerKeyFile] = pulumi.secret(given.dnsConsumerKey ?? "");
  return files;
}
