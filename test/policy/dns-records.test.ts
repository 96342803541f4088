import { describe, expect, test } from "vitest";
import { notPublic } from "../../lib/address-ranges.ts";
import { recordSetsOf } from "../../policies/facts/dns/records.ts";
import { isSpf, spfLookups, spfTerms } from "../../lib/dns/spf-terms.ts";
import { stringsOf, tagsOf } from "../../policies/facts/dns/txt.ts";
import { hostIn, recordsOfStack } from "../../policies/facts/dns/zones.ts";
import type { PolicyResource } from "../../policies/framework/policy.ts";
import {
  cloudDns,
  cloudflare,
  cloudflareOld,
  digitalOcean,
  hetzner,
  hetznerRecord,
  hostedZone,
  ownRecords,
  route53,
  route53ById,
} from "./dns-resources.ts";
import { urnOf, type TestResource } from "./harness.ts";

/** A stack of resources whose dependencies are resolved, as a stack policy gets it. */
function stackOf(...resources: TestResource[]): PolicyResource[] {
  const made = resources.map((one) => ({
    type: one.type,
    name: one.name ?? "",
    urn: urnOf(one),
    props: one.props as Record<string, unknown>,
    opts: { protect: false },
  }));
  return made.map((one, i) => ({
    ...one,
    propertyDependencies: Object.fromEntries(
      Object.entries(resources[i]?.propertyDependencies ?? {}).map(([input, urns]) => [
        input,
        made.filter(({ urn }) => urns.includes(urn)),
      ]),
    ),
  }));
}
const setOf = (resource: TestResource) => recordSetsOf(stackOf(resource)[0] as PolicyResource)[0];

describe("the values of a record", () => {
  const zone = hostedZone("example.org");
  test.each([
    [
      "Cloudflare 6",
      cloudflare("mx", "@", "mail.example.org", { priority: 10 }),
      "MX",
      "content",
      "mail.example.org",
    ],
    [
      "Cloudflare 5",
      cloudflareOld({ zoneId: "z", type: "TXT", name: "@", value: '"a" "b"' }),
      "TXT",
      "value",
      "ab",
    ],
    [
      "Cloudflare's parts",
      cloudflare("CAA", "@", undefined, { data: { flags: 0, tag: "issue", value: "ca.example" } }),
      "CAA",
      "data.value",
      "0 issue ca.example",
    ],
    [
      "Cloudflare's parts without flags",
      cloudflare("CAA", "@", undefined, { data: { tag: "iodef", value: "mailto:a@example.org" } }),
      "CAA",
      "data.value",
      "0 iodef mailto:a@example.org",
    ],
    [
      "Cloudflare's CAA as a text",
      cloudflare("CAA", "@", '128 issue ";"'),
      "CAA",
      "content",
      '128 issue ";"',
    ],
    [
      "DigitalOcean",
      digitalOcean("MX", "@", "mail.example.org.", { priority: 1 }),
      "MX",
      "value",
      "mail.example.org.",
    ],
    [
      "DigitalOcean's parts",
      digitalOcean("CAA", "@", "ca.example.", { flags: 128, tag: "issue" }),
      "CAA",
      "value",
      "128 issue ca.example.",
    ],
    ["Route53", route53(zone, "MX", "@", ["10 mail.example.org"]), "MX", "records[0]", "mail.example.org"],
    ["Route53's texts", route53(zone, "TXT", "@", ['a""b" "c']), "TXT", "records[0]", "abc"],
    ["Cloud DNS", cloudDns("TXT", "example.org.", ['"a\\"b" "c"']), "TXT", "rrdatas[0]", 'a"bc'],
    ["Hetzner's sets", hetzner("A", "@", ["203.0.113.25"]), "A", "records[0].value", "203.0.113.25"],
    ["Hetzner's records", hetznerRecord("MX", "@", "10 mail"), "MX", "value", "mail"],
  ])("of %s", (_, resource, type, where, text) => {
    const set = setOf(resource);
    expect(set?.type).toBe(type);
    expect(set?.gaps).toEqual([]);
    expect(set?.values).toMatchObject([{ where, text }]);
  });

  test("are the strings that the program divides, where it does", () => {
    expect(setOf(route53(zone, "TXT", "@", ['a""b']))?.values[0]?.strings).toEqual(["a", "b"]);
    expect(setOf(cloudDns("TXT", "x.", ['"a" "b"']))?.values[0]?.strings).toEqual(["a", "b"]);
    expect(setOf(cloudflare("TXT", "@", '"a" "b"'))?.values[0]?.strings).toEqual([]);
    expect(setOf(route53(zone, "A", "@", ["203.0.113.25"]))?.values[0]?.strings).toEqual([]);
  });

  test("stand elsewhere for an alias and a routing policy", () => {
    const elsewhere = (props: object) =>
      setOf(route53ById({ zoneId: "Z", type: "A", name: "@", ...props }))?.elsewhere;
    expect(elsewhere({ aliases: [{ name: "lb.example" }] })).toBe(true);
    expect(elsewhere({ aliases: [], records: ["203.0.113.25"] })).toBe(false);
    expect(elsewhere({ records: ["203.0.113.25"] })).toBe(false);
    expect(setOf(cloudDns("A", "x.", undefined, { routingPolicy: { wrrs: [] } }))?.elsewhere).toBe(true);
    expect(setOf(cloudDns("A", "x.", ["203.0.113.25"], { routingPolicy: null }))?.elsewhere).toBe(false);
  });

  test("of many names in one resource are one set each, a text as it is", () => {
    const sets = recordSetsOf(
      stackOf(
        ownRecords({
          "example.org MX": ["10 mail.example.org."],
          "example.org TXT": ['v=spf1 "x" -all'],
          "mail.example.org CAA": ['0 issue "ca.example"'],
        }),
      )[0] as PolicyResource,
    );
    expect(sets).toMatchObject([
      { type: "MX", name: "example.org", values: [{ text: "mail.example.org." }], gaps: [] },
      { type: "TXT", values: [{ where: 'records["example.org TXT"][0]', text: 'v=spf1 "x" -all' }] },
      { type: "CAA", name: "mail.example.org", values: [{ text: '0 issue "ca.example"' }] },
    ]);
  });

  test("are none of another resource", () => {
    expect(setOf({ type: "random:index/randomId:RandomId", props: { type: "A" } })).toBeUndefined();
  });
});

describe("the owner of a record", () => {
  const zone = hostedZone("Example.org.");
  const hidden = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
  const dns = (visibility?: string): TestResource => ({
    type: "gcp:dns/managedZone:ManagedZone",
    name: "example-org",
    props: { dnsName: "example.org.", visibility },
  });
  const inDns = (visibility: string): TestResource => ({
    ...cloudDns("A", "mail.example.org.", ["203.0.113.25"]),
    propertyDependencies: { managedZone: [urnOf(dns(visibility))] },
  });
  const old: TestResource = {
    type: "cloudflare:index/zone:Zone",
    name: "zone",
    props: { zone: "example.org" },
  };
  const inOld = {
    ...cloudflare("A", "mail", "203.0.113.25"),
    propertyDependencies: { zoneId: [urnOf(old)] },
  };

  test.each([
    ["a relative name", [zone, route53(zone, "A", "Mail", [])], "mail.example.org", true, true],
    ["a whole name", [zone, route53(zone, "A", "mail.example.ORG.", [])], "mail.example.org", true, true],
    ["the zone itself", [zone, route53(zone, "A", "", [])], "example.org", true, true],
    ["the zone by its sign", [zone, route53(zone, "A", "@", [])], "example.org", true, true],
    ["the zone by its name", [zone, route53(zone, "A", "example.org", [])], "example.org", true, true],
    [
      "a name that ends alike",
      [zone, route53(zone, "A", "anexample.org", [])],
      "anexample.org.example.org",
      true,
      true,
    ],
    ["a private zone", [hidden, route53(hidden, "A", "mail", [])], "mail.example.org", true, false],
    ["a zone by its id", [route53ById({ zoneId: "Z", type: "A", name: "mail" })], "mail", false, undefined],
    ["the zone itself by its id", [cloudflare("A", "@", "x")], "@", false, true],
    [
      "a whole name in a zone by its id",
      [cloudflare("A", "mail.example.org", "x")],
      "mail.example.org",
      true,
      true,
    ],
    ["Cloudflare's zone of version 5", [old, inOld], "mail.example.org", true, true],
    ["Cloud DNS", [cloudDns("A", "mail.example.org.", [])], "mail.example.org", true, undefined],
    ["Cloud DNS inside", [dns("private"), inDns("private")], "mail.example.org", true, false],
    ["Cloud DNS outside", [dns("public"), inDns("public")], "mail.example.org", true, true],
    ["a domain", [digitalOcean("A", "mail", "x")], "mail.example.org", true, true],
    ["Hetzner's zone", [hetzner("A", "@", [])], "example.org", true, true],
    ["Hetzner's zone by its id", [hetzner("A", "@", [], { zone: "4711" })], "@", false, true],
    ["tailwart's own", [ownRecords({ "mail.example.org A": [] })], "mail.example.org", true, true],
  ])("in %s", (_, resources, owner, whole, isPublic) => {
    expect(recordsOfStack(stackOf(...resources))).toMatchObject([{ owner, whole, zone: { isPublic } }]);
  });

  test("says which zone a host without a final dot is in, where that is a zone file's way", () => {
    const host = (resource: TestResource, text: string) =>
      hostIn(recordsOfStack(stackOf(resource))[0] as never, text);
    expect(host(hetzner("MX", "@", []), "Mail")).toBe("mail.example.org");
    expect(host(hetzner("MX", "@", []), "@")).toBe("example.org");
    expect(host(hetzner("MX", "@", []), "mail.example.net")).toBe("mail.example.net");
    expect(host(hetzner("MX", "@", []), "mail.")).toBe("mail");
    expect(host(hetzner("MX", "@", [], { zone: "4711" }), "mail")).toBeUndefined();
    expect(host(cloudflare("MX", "@", "x"), "mail")).toBe("mail");
  });
});

describe("the texts of records", () => {
  test.each([
    ["v=spf1", false, ["v=spf1"]],
    [' "a" "b" ', false, ["a", "b"]],
    ['"a""b"', false, ["a", "b"]],
    ['"a\\"\\\\b"', false, ['a"\\b']],
    ['a" "b', true, ["a", "b"]],
    ['a" "b', false, ['a" "b']],
  ])("%j is divided", (value, wraps, strings) => {
    expect(stringsOf(value, wraps)).toEqual(strings);
  });

  test("a list of tags keeps the first of each", () => {
    expect([...tagsOf(" v = DKIM1 ;K=rsa; p=a b==; n=x;y ; p=second;;=z")]).toEqual([
      ["v", "DKIM1"],
      ["k", "rsa"],
      ["p", "a b=="],
      ["n", "x"],
    ]);
  });

  test("an SPF record is one by its version alone", () => {
    expect(["v=spf1", "V=SPF1 -all", "v=spf1  a"].every(isSpf)).toBe(true);
    expect(["v=spf10", " v=spf1", "spf1", "v=spf1;a"].some(isSpf)).toBe(false);
    expect(spfTerms("v=spf1  mx   -all ")).toEqual(["mx", "-all"]);
    expect(spfLookups("v=spf1 a:x mx ptr include:y exists:z redirect=q ip4:203.0.113.1 exp=w all")).toBe(6);
  });

  test("an address is public or of something", () => {
    expect(notPublic("203.0.113.25")).toBeUndefined();
    expect(notPublic("2001:db8::25")).toBeUndefined();
    expect(notPublic("172.32.0.1")).toBeUndefined();
    expect(notPublic("mail.example.org")).toBeUndefined();
    expect(notPublic(" 10.1.2.3 ")).toBe("a private network");
    expect(notPublic("100.64.0.1")).toBe("a tailnet or a provider's NAT");
    expect(notPublic("198.18.0.1")).toBe("a benchmark");
    expect(["224.0.0.1", "255.255.255.255", "ff02::1"].map(notPublic)).toEqual(
      Array(3).fill("a multicast group or nobody"),
    );
  });
});
