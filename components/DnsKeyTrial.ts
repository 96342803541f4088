import { Command } from "@pulumi/command/local/command.js";
import * as pulumi from "@pulumi/pulumi";

import type { DnsKey } from "../lib/dns/key.ts";
import type { TailnetSidecar } from "./TailnetSidecar.ts";

export interface DnsKeyTrialArgs extends DnsKey {
  dockerHost: string;
  /** Its namespace is Stalwart's. */
  sidecar: TailnetSidecar;
  secret: pulumi.Input<string>;
}

/**
 * Fails the deploy before Stalwart is given a DNS key that cannot write (lesson 2): Stalwart itself
 * tells nobody, and would show a certificate of its own. It runs again when any of the key is
 * another, its secret included, or when it failed the time before.
 */
export class DnsKeyTrial extends pulumi.ComponentResource {
  constructor(name: string, args: DnsKeyTrialArgs, opts: pulumi.ComponentResourceOptions) {
    const { sidecar, secret, ...visible } = args;
    super("tailwart:mail:DnsKeyTrial", name, visible, opts);
    const trial = { ...visible, sidecar: sidecar.container.name, secret: pulumi.secret(secret) };
    new Command(
      `${name}-trial`,
      { create: "node verify/try-dns-key.ts", stdin: pulumi.jsonStringify(trial) },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
