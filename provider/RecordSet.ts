import * as pulumi from "@pulumi/pulumi";

import type { RecordSets } from "../lib/dns/record-sets.ts";
import { textsOf } from "../lib/dns/record-texts.ts";
import type { LeftOut } from "../lib/guards.ts";
import type { Place } from "./dns/places.ts";

/** Arguments of {@link RecordSet}. */
export interface RecordSetArgs {
  /** Where: a server that takes updates (RFC 2136) or a provider's API, and by which key. */
  writer: Place;
  /** The key's secret: in base64 for RFC 2136. */
  secret: pulumi.Input<string>;
  /** `name TYPE` → values as a zone file has them, a text in no quotes. */
  records: RecordSets;
  /** Domains that the records are of: a preview shows those of each together. @default [] */
  domains?: readonly string[];
  /** Selector → what its DKIM record says, in each of the domains. @default {} */
  dkim?: Record<string, pulumi.Input<string>>;
  /** Sets, each as `name TYPE`, whose values of somebody else may be replaced. @default [] */
  adopt?: readonly string[];
  /** Servers to ask in the place of those that the DNS names, as `host:port`. @default [] */
  servers?: readonly string[];
  /** Whether MX, the hosts that these name, and DKIM go with the stack, too. @default false */
  removeOnDestroy?: boolean;
  /** Lessons whose guard a lab leaves out. @default {} */
  withoutGuards?: LeftOut;
}

/**
 * Records in the DNS, served by the plugin beside this file: a preview names each that changes, a
 * refresh sees hand edits, and an update never shows two of what must be single. Of what somebody
 * else has set nothing is touched; where it is in the way, the deploy ends before it writes.
 *
 * @example
 * new RecordSet("records", { writer, secret, records: { "a.org MX": ["10 mail.a.org."] } }, {
 *   provider })
 */
export class RecordSet extends pulumi.CustomResource {
  constructor(name: string, args: RecordSetArgs, options?: pulumi.CustomResourceOptions) {
    const { domains = [], secret, ...rest } = args;
    const records = textsOf(args.records, { domains, dkim: {} });
    super("tailwart:dns:RecordSet", name, { ...rest, records, secret: pulumi.secret(secret) }, options);
  }
}
