import * as pulumi from "@pulumi/pulumi";

/**
 * The plugin beside this file as a provider of its own, so that it can be started early. It takes no configuration.
 *
 * @example new MailSettings("settings", args, { providers: [new Provider("mail")] })
 */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, options?: pulumi.ResourceOptions) {
    super("tailwart", name, {}, options);
  }
}
