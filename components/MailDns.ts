import * as pulumi from "@pulumi/pulumi";

import type { DkimSelector } from "../lib/desired-state/dkim.ts";
import { DkimKey } from "../provider/DkimKey.ts";
import { DkimRotation } from "../provider/DkimRotation.ts";

/** What the stack's mail needs of the DNS. */
export interface MailDnsArgs {
  /** Domains whose mail is signed. */
  domains: readonly string[];
  selectors: readonly DkimSelector[];
  /** Servers to ask in the place of those that the DNS names, as `host:port`. */
  servers: readonly string[];
}

/**
 * The keys by which mail is signed, and which of them signs. It comes before Stalwart: a key that
 * receivers do not find signs nothing.
 */
export class MailDns extends pulumi.ComponentResource {
  /** Path in Stalwart's container → private key. */
  readonly keyFiles: Record<string, pulumi.Output<string>>;
  /** Selector → what the record at `<selector>._domainkey` of each domain says. */
  readonly dkimRecords: Record<string, pulumi.Output<string>>;

  constructor(name: string, args: MailDnsArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:MailDns", name, args, opts);
    const keys = args.selectors.map((each) => ({
      ...each,
      // One that is taken from the config goes last, after all that might need it.
      key: new DkimKey(`${name}-dkim-${each.selector}`, { selector: each.selector }, { parent: this }),
    }));
    this.keyFiles = Object.fromEntries(keys.map(({ keyFile, key }) => [keyFile, key.privateKey]));
    this.dkimRecords = Object.fromEntries(keys.map(({ selector, key }) => [selector, key.record]));
    // Also without a selector: one that signs is to be retired before it goes.
    new DkimRotation(
      `${name}-dkim`,
      {
        uses: Object.fromEntries(args.selectors.map(({ selector, use }) => [selector, use])),
        records: this.dkimRecords,
        domains: args.domains,
        servers: args.servers,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
