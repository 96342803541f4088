import * as pulumi from "@pulumi/pulumi";
import { OauthClient } from "@pulumi/tailscale/oauthClient.js";
import { TailnetKey } from "@pulumi/tailscale/tailnetKey.js";

import { LOGIN_KEY_LIFETIME, loginKey } from "../lib/tailnet/login-key.ts";

/** Which kind of node logs in, and the tag that it carries. */
export interface TailnetIdentityArgs {
  identity: "persistent" | "ephemeral";
  tag: string;
}

/**
 * What the sidecar logs in with (decision 11).
 *
 * persistent: one single-use key, good for an hour. It is not made again for its own sake: that
 * would replace the sidecar, and the node's state is on a volume. A node that has not logged in
 * until then gets another one straight into its container (verify/login-key.ts). ephemeral: the
 * secret of an OAuth client, from which each start makes a key of its own.
 */
export class TailnetIdentity extends pulumi.ComponentResource {
  readonly authKey: pulumi.Output<string>;
  /** The API's id of a persistent node's key. */
  readonly keyId: pulumi.Output<string> | undefined;
  /** An OAuth client's key carries no tag of its own: `tailscale up` must ask for it. */
  readonly advertiseTags: boolean;

  constructor(name: string, args: TailnetIdentityArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:TailnetIdentity", name, args, opts);
    const parent = { parent: this };
    this.advertiseTags = args.identity === "ephemeral";
    const key = args.identity === "persistent" ? persistentKey(name, args.tag, parent) : undefined;
    this.keyId = key?.id;
    this.authKey = key ? pulumi.secret(key.key) : ephemeralSecret(name, args.tag, parent);
    this.registerOutputs({});
  }
}

function persistentKey(name: string, tag: string, opts: pulumi.CustomResourceOptions): TailnetKey {
  return new TailnetKey(
    `${name}-key`,
    {
      ...loginKey(tag),
      description: `tailwart ${pulumi.getStack()}`,
      expiry: LOGIN_KEY_LIFETIME,
      recreateIfInvalid: "never",
    },
    opts,
  );
}

function ephemeralSecret(
  name: string,
  tag: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const client = new OauthClient(
    `${name}-client`,
    { description: `tailwart ${pulumi.getStack()}`, scopes: ["auth_keys"], tags: [tag] },
    opts,
  );
  // Attributes after the secret: tailscale.com/feature/oauthkey. preauthorized is off unless asked
  // for.
  const baseUrl = new pulumi.Config("tailscale").get("baseUrl");
  const attributes = `ephemeral=true&preauthorized=true${baseUrl ? `&baseURL=${baseUrl}` : ""}`;
  return pulumi.secret(pulumi.interpolate`${client.key}?${attributes}`);
}
