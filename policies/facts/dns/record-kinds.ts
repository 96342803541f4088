import type { Path } from "../../framework/values.ts";
import { RECORD_SET } from "../own-resources.ts";

/** How a provider's resource writes records. */
export interface RecordKind {
  /** The input that says which zone. */
  readonly zone: string;
  /** True where that input is the zone's name; else it is an id. */
  readonly zoneIsName?: true;
  /** True where names are never relative to the zone. */
  readonly absolute?: true;
  /**
   * The input that holds a map: domain → in JSON, a map of `name TYPE` to values, a text in no
   * quotes. Beside it `dkim` holds what each selector's record says in all of the domains.
   */
  readonly sets?: string;
  /** Inputs that hold the one value, in the order in which they count. */
  readonly one?: readonly string[];
  /** The input that holds a list of values, and below each item where the value is. */
  readonly many?: string;
  readonly item?: string;
  /** TXT values: the program divides them, not the provider. */
  readonly divides?: true;
  /** Where quotes are put around a TXT value that has none. */
  readonly wraps?: true;
  /** A host without a final dot is relative to the zone, as in a zone file. */
  readonly relativeHosts?: true;
  /** The inputs that stand in place of values. */
  readonly instead?: readonly string[];
  /** Where a CAA's flags, tag and value are: below this input, or beside the others. */
  readonly caa?: Path;
}

const CLOUDFLARE: RecordKind = { zone: "zoneId", one: ["content", "value"], caa: ["data"] };

/**
 * Resources that are DNS records, by type. Their inputs, from the packages' API pages in Pulumi's
 * registry: cloudflare 5 (Record) and 6 (DnsRecord), digitalocean 4, aws 7, gcp 9 and hcloud 1.32.
 *
 * @see terraform-provider-aws internal/service/route53/record.go: expandTxtEntry and
 *   flattenTxtEntry put quotes around what has none; ExpandRecordName adds the zone's name
 */
export const RECORD_KINDS: Readonly<Record<string, RecordKind>> = {
  "cloudflare:index/record:Record": CLOUDFLARE,
  "cloudflare:index/dnsRecord:DnsRecord": CLOUDFLARE,
  "digitalocean:index/dnsRecord:DnsRecord": {
    zone: "domain",
    zoneIsName: true,
    one: ["value"],
    relativeHosts: true,
    caa: [],
  },
  "aws:route53/record:Record": {
    zone: "zoneId",
    many: "records",
    divides: true,
    wraps: true,
    instead: ["aliases"],
  },
  "gcp:dns/recordSet:RecordSet": {
    zone: "managedZone",
    absolute: true,
    many: "rrdatas",
    divides: true,
    relativeHosts: true,
    instead: ["routingPolicy"],
  },
  "hcloud:index/zoneRrset:ZoneRrset": {
    zone: "zone",
    zoneIsName: true,
    many: "records",
    item: "value",
    divides: true,
    relativeHosts: true,
  },
  "hcloud:index/zoneRecord:ZoneRecord": {
    zone: "zone",
    zoneIsName: true,
    one: ["value"],
    divides: true,
    relativeHosts: true,
  },
  [RECORD_SET]: { zone: "writer", absolute: true, sets: "records" },
};

/** The types of resources that are DNS records. */
export const RECORD_TYPES: readonly string[] = Object.keys(RECORD_KINDS);
