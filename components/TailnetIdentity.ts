import * as pulumi from "@pulumi/pulumi";
import { OauthClient } from "@pulumi/tailscale/oauthClient.js";
import { TailnetKey } from "@pulumi/tailscale/tailnetKey.js";

/** Which kind of node logs in, and the tag that it carries. */
export interface TailnetIdentityArgs {
  identity: "persistent" | "ephemeral";
  tag: string;
}

/** Long enough for one deploy, since the node's own key takes over after the first login. Seconds. */
const KEY_LIFETIME = 3600;

/**
 * What the sidecar logs in with (decision 11).
 *
 * persistent: one single-use key, good for an hour. It is not made again for its own sake: that would replace
 * the sidecar, and the node's state is on a volume. ephemeral: the secret of an OAuth client, from which each
 * start makes a key of its own.
 */
export class TailnetIdentity extends pulumi.ComponentResource {
  readonly authKey: pulumi.Output<string>;
  /** An OAuth client's key carries no tag of its own: `tailscale up` must ask for it. */
  readonly advertiseTags: boolean;

  constructor(name: string, args: TailnetIdentityArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:TailnetIdentity", name, args, opts);
    const parent = { parent: this };
    this.advertiseTags = args.identity === "ephemeral";
    this.authKey =
      args.identity === "persistent"
        ? persistentKey(name, args.tag, parent)
        : ephemeralSecret(name, args.tag, parent);
    this.registerOutputs({});
  }
}

function persistentKey(name: string, tag: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const { key } = new TailnetKey(
    `${name}-key`,
    {
      description: `tailwart ${pulumi.getStack()}`,
      ephemeral: false,
      expiry: KEY_LIFETIME,
      preauthorized: true,
      recreateIfInvalid: "never",
      reusable: false,
      tags: [tag],
    },
    opts,
  );
  return pulumi.secret(key);
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
  // Attributes after the secret: tailscale.com/feature/oauthkey. preauthorized is off unless asked for.
  const baseUrl = new pulumi.Config("tailscale").get("baseUrl");
  const attributes = `ephemeral=true&preauthorized=true${baseUrl ? `&baseURL=${baseUrl}` : ""}`;
  return pulumi.secret(pulumi.interpolate`${client.key}?${attributes}`);
}
