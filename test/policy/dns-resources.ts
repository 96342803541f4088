import { textsOf } from "../../lib/dns/record-texts.ts";
import { urnOf, type TestResource } from "./harness.ts";

/** DNS records as programs of the five providers and tailwart's own write them, for tests. */
let made = 0;
const named = (props: object): string => {
  const { name, type } = props as { name?: unknown; type?: unknown };
  return [typeof name === "string" ? name : "", type, ++made].join("-");
};
const of =
  (type: string) =>
  (props: object, more: Partial<TestResource> = {}): TestResource => ({
    type,
    name: named(props),
    props,
    ...more,
  });

export const ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353";
/** A record of the zone with the id {@link ZONE_ID}, whose name the stack does not tell. */
export const cloudflare = (type: string, name: unknown, content: unknown, more: object = {}): TestResource =>
  of("cloudflare:index/dnsRecord:DnsRecord")({ zoneId: ZONE_ID, type, name, content, ttl: 300, ...more });
/** A record of version 5 and before. */
export const cloudflareOld = of("cloudflare:index/record:Record");

/** Zones that the same stack makes, for {@link inZone}. */
export const madeZones = (name: string) =>
  ({
    cloudflare: { type: "cloudflare:index/zone:Zone", name: `cf-${name}`, props: { name } },
    digitalOcean: { type: "digitalocean:index/domain:Domain", name: `do-${name}`, props: { name } },
    cloudDns: {
      type: "gcp:dns/managedZone:ManagedZone",
      name: `gcp-${name}`,
      props: { dnsName: `${name}.` },
    },
    hetzner: { type: "hcloud:index/zone:Zone", name: `hcloud-${name}`, props: { name } },
  }) as const satisfies Record<string, TestResource>;
/** A record, in a zone that the same stack makes. */
export const inZone = (zone: TestResource, record: TestResource): TestResource => ({
  ...record,
  propertyDependencies: Object.fromEntries(
    ["zoneId", "domain", "managedZone", "zone"].map((input) => [input, [urnOf(zone)]]),
  ),
});

export const hostedZone = (name: string, more: object = {}): TestResource => ({
  type: "aws:route53/zone:Zone",
  name: `zone-${name}-${++made}`,
  props: { name, ...more },
});
/** A record set of a zone that the same stack makes. */
export const route53 = (
  zone: TestResource,
  type: string,
  name: unknown,
  records: unknown,
  more: object = {},
): TestResource =>
  of("aws:route53/record:Record")(
    { zoneId: "Z0123456789ABCDEFGHIJ", type, name, records, ttl: 300, ...more },
    { propertyDependencies: { zoneId: [urnOf(zone)], records: [urnOf(zone)] } },
  );
export const route53ById = of("aws:route53/record:Record");

/** A record of the domain example.org. */
export const digitalOcean = (type: string, name: unknown, value: unknown, more: object = {}): TestResource =>
  of("digitalocean:index/dnsRecord:DnsRecord")({ domain: "example.org", type, name, value, ...more });
export const cloudDns = (type: string, name: unknown, rrdatas: unknown, more: object = {}): TestResource =>
  of("gcp:dns/recordSet:RecordSet")({ managedZone: "example-org", type, name, rrdatas, ttl: 300, ...more });
/** A record set of the zone example.org. */
export const hetzner = (type: string, name: unknown, values: unknown, more: object = {}): TestResource =>
  of("hcloud:index/zoneRrset:ZoneRrset")({
    zone: "example.org",
    type,
    name,
    records: Array.isArray(values) ? values.map((value: unknown) => ({ value })) : values,
    ...more,
  });
export const hetznerRecord = (type: string, name: unknown, value: unknown): TestResource =>
  of("hcloud:index/zoneRecord:ZoneRecord")({ zone: "example.org", type, name, value });

/** Records that tailwart writes itself: many names in one resource. */
export const ownRecords = (sets: Record<string, string[]>, more: object = {}): TestResource => ({
  type: "tailwart:dns:RecordSet",
  name: "mail-dns-records",
  props: {
    writer: { host: "192.0.2.53", port: 53, keyName: "writes" },
    records: textsOf(sets, { domains: ["example.org"], dkim: {} }),
    adopt: [],
    servers: [],
    ...more,
  },
});

/** The component that says which domains send mail, and from where. */
export const mailDns = (stated: object): TestResource => ({
  type: "tailwart:mail:MailDns",
  name: "mail-dns",
  props: { domains: ["example.org"], selectors: [], servers: [], ...stated },
});
