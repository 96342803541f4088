import * as pulumi from "@pulumi/pulumi";

import type { DkimSelector } from "../lib/desired-state/dkim.ts";
import type { RecordSets } from "../lib/dns/record-sets.ts";
import { DkimKey } from "../provider/DkimKey.ts";
import { DkimRotation } from "../provider/DkimRotation.ts";
import { RecordSet, type RecordSetArgs } from "../provider/RecordSet.ts";

/** What the stack's mail needs of the DNS. */
export interface MailDnsArgs {
  /** Domains whose mail is signed. */
  domains: readonly string[];
  selectors: readonly DkimSelector[];
  /**
   * Where the domains' mail leaves for the internet, as `spfTerm` takes it: the policies judge SPF
   * by it.
   */
  egress?: readonly string[] | undefined;
  /** URLs of the accounts that may order certificates for the mail names: CAA is judged by them. */
  acmeAccounts?: readonly string[] | undefined;
  /** Servers to ask in the place of those that the DNS names, as `host:port`. */
  servers: readonly string[];
  /** The records, but for those of DKIM, and where they are written; undefined: nowhere. */
  written?:
    | (Pick<RecordSetArgs, "writer" | "adopt" | "removeOnDestroy" | "withoutGuards"> & {
        records: RecordSets;
      })
    | undefined;
  /** Of the key that writes. */
  secret: pulumi.Input<string>;
}

/**
 * The keys by which mail is signed, the records where they are written, and then which key signs.
 * It comes before Stalwart: a key that receivers do not find signs nothing.
 */
export class MailDns extends pulumi.ComponentResource {
  /** Path in Stalwart's container → private key. */
  readonly keyFiles: Record<string, pulumi.Output<string>>;
  /** Selector → what the record at `<selector>._domainkey` of each domain says. */
  readonly dkimRecords: Record<string, pulumi.Output<string>>;

  constructor(name: string, args: MailDnsArgs, opts: pulumi.ComponentResourceOptions) {
    // The records stand in their own resource alone: what crosses the engine twice is half of a
    // preview with a thousand domains (`npm run bench -- domains`).
    const { secret, written, servers, egress, acmeAccounts = [], ...visible } = args;
    // Absent where it is empty: what is deployed has no word of it.
    const stated = { ...(egress && { egress }), ...(acmeAccounts.length > 0 && { acmeAccounts }) };
    super("tailwart:mail:MailDns", name, { ...visible, servers, ...stated }, opts);
    const keys = args.selectors.map((each) => ({
      ...each,
      // One that is taken from the config goes last, after all that might need it.
      key: new DkimKey(
        `${name}-dkim-${each.selector}`,
        { selector: each.selector, ...(each.algorithm && { algorithm: each.algorithm }) },
        { parent: this },
      ),
    }));
    this.keyFiles = Object.fromEntries(keys.map(({ keyFile, key }) => [keyFile, key.privateKey]));
    this.dkimRecords = Object.fromEntries(keys.map(({ selector, key }) => [selector, key.record]));
    const records =
      written &&
      new RecordSet(
        `${name}-records`,
        { ...written, secret, servers, domains: args.domains, dkim: this.dkimRecords },
        { parent: this },
      );
    // Also without a selector: one that signs is to be retired before it goes.
    new DkimRotation(
      `${name}-dkim`,
      {
        uses: Object.fromEntries(args.selectors.map(({ selector, use }) => [selector, use])),
        records: this.dkimRecords,
        domains: args.domains,
        servers,
      },
      { parent: this, dependsOn: records ? [records] : [] },
    );
    this.registerOutputs({});
  }
}
