import * as pulumi from "@pulumi/pulumi";

import type { Deployed } from "../lib/stalwart/release.ts";

/**
 * The plugin beside this file as a provider of its own: started early, and told what runs on which
 * data store, so that a server of another line is refused before anything is touched.
 *
 * @example
 * new MailSettings("settings", args, { providers: [new Provider("mail", { line: "0.15", dataStore:
 *   "db:5432/stalwart" })] })
 */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, deployed: Partial<Deployed> = {}, options?: pulumi.ResourceOptions) {
    super("tailwart", name, { ...deployed }, options);
  }
}
