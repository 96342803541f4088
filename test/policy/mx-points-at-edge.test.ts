import { describe, expect, test } from "vitest";
import { mxPointsAtEdge as policy } from "../../policies/rules/mx-points-at-edge.ts";
import {
  cloudDns,
  cloudflare,
  cloudflareOld,
  digitalOcean,
  hetzner,
  hetznerRecord,
  hostedZone,
  route53,
  route53ById,
  ZONE_ID,
} from "./dns-resources.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  UNKNOWN,
  UNKNOWN_LIST,
  urnOf,
  type Outcome,
  type TestResource,
} from "./harness.ts";

const zone = hostedZone("example.org");
const inside = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
const ask = (resource: TestResource): Promise<Outcome> => runPolicy(policy, resource);
const askStack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);

const mx = route53(zone, "MX", "", ["10 mail.example.org."]);
const a = route53(zone, "A", "mail", ["203.0.113.25"]);
const cfMx = cloudflare("MX", "example.org", "mail.example.org", { priority: 10 });

describe("mx-points-at-edge refuses", () => {
  test("an address, and says where, what, why and what to write instead", async () => {
    const { violations } = await ask(route53(zone, "MX", "@", ["10 mail.example.org", "20 203.0.113.25"]));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("records[1] is 203.0.113.25, an address, and an MX record takes a name.");
    expect(violations[0]).toMatch(/why: a sender looks the addresses/);
    expect(violations[0]).toMatch(/instead: the edge's name/);
  });

  test.each([
    ["an IPv6 address", cloudflare("MX", "@", "2001:db8::25"), "content is 2001:db8::25, an address"],
    [
      "an address in brackets",
      digitalOcean("MX", "@", "[2001:db8::25]"),
      "value is [2001:db8::25], an address",
    ],
    [
      "a tailnet node's address",
      hetzner("MX", "@", ["10 100.101.102.103"]),
      "records[0].value is 100.101.102.103, an address",
    ],
    [
      "a tailnet node's IPv6 address",
      cloudDns("MX", "example.org.", ["1 fd7a:115c:a1e0::19"]),
      "rrdatas[0] is fd7a:115c:a1e0::19",
    ],
    [
      "an address with a final dot",
      hetznerRecord("MX", "@", "10 203.0.113.25."),
      "value is 203.0.113.25., an address",
    ],
    [
      "a name of MagicDNS",
      cloudflareOld({ zoneId: "z", type: "MX", name: "@", value: "edge.tail7b1641.ts.net" }),
      "value is edge.tail7b1641.ts.net, a name that only the tailnet knows",
    ],
    [
      "a name of MagicDNS with a dot",
      hetzner("mx", "@", ["10 Edge.tail7b1641.TS.net."]),
      "a name that only the tailnet knows",
    ],
    [
      "no mail beside a host",
      route53(zone, "MX", "@", ["0 .", "10 mail.example.org."]),
      "records[0] says that the domain takes no mail (RFC 7505)",
    ],
  ])("%s", async (_, resource, message) => {
    const { violations } = await ask(resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  test("a name below the stack's own tailnet domain", async () => {
    const sidecar = {
      type: "tailwart:mail:MailSettings",
      name: "mail",
      props: { tailnet: { domain: "tail.test" } },
    };
    const { violations } = await askStack(sidecar, cloudflare("MX", "example.org", "edge.tail.test"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("content is edge.tail.test, a name that only the tailnet knows");
  });

  test.each([
    ["in a zone of the stack", mx, route53(zone, "CNAME", "mail", ["edge.example.net."])],
    ["in a zone by its id", cfMx, cloudflare("CNAME", "mail.example.org", "edge.example.net")],
    ["in another zone", cfMx, digitalOcean("CNAME", "mail", "edge.example.net.")],
    ["beside a host as in a zone file", hetzner("MX", "@", ["10 mail"]), hetzner("CNAME", "mail", ["edge"])],
    ["of a domain", digitalOcean("MX", "@", "mail"), digitalOcean("CNAME", "mail", "edge")],
    [
      "of which one answer is a CNAME",
      mx,
      route53(zone, "CNAME", "mail", ["a.example.net"], { setIdentifier: "a" }),
    ],
  ])("a CNAME %s", async (_, first, second) => {
    const { violations } = await askStack(zone, first, second);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `is mail.example.org, a CNAME (${second.name}), and an MX record names a host by its own name (RFC 2181 §10.3).`,
    );
    expect(violations[0]).toMatch(/instead: the name that the CNAME leads to/);
  });

  test.each([
    ["10.20.0.8", "a private network"],
    ["172.31.0.8", "a private network"],
    ["192.168.1.8", "a private network"],
    ["100.101.102.103", "a tailnet or a provider's NAT"],
    ["127.0.0.1", "the host itself"],
    ["169.254.1.1", "one link"],
  ])("a host whose A record is %s, %s", async (address, kind) => {
    const own = route53(zone, "A", "mail", [address]);
    const { violations } = await askStack(zone, mx, own);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `records[0] is mail.example.org, whose A record (${own.name}) is ${address}, an address of ${kind}.`,
    );
  });

  test.each([
    ["of a tailnet", "fd7a:115c:a1e0::19", "a tailnet or a provider's NAT"],
    ["of a private network", "fd00::19", "a private network"],
    ["of one link", "fe80::19", "one link"],
  ])("a host whose AAAA record is %s", async (_, address, kind) => {
    const own = [
      cloudflare("A", "mail.example.org", "203.0.113.25"),
      cloudflare("AAAA", "mail.example.org", address),
    ];
    const { violations } = await askStack(cfMx, ...own);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`is ${address}, an address of ${kind}`);
  });

  const domain = (more: object = {}): TestResource => ({
    type: "digitalocean:index/domain:Domain",
    name: "domain",
    props: { name: "example.org", ...more },
  });
  const inDomain = (record: TestResource): TestResource => ({
    ...record,
    propertyDependencies: { domain: [urnOf(domain())] },
  });
  test.each([
    ["has nothing", zone, [mx, route53(zone, "A", "www", ["203.0.113.25"])], "mail.example.org"],
    [
      "has an AAAA record alone",
      zone,
      [mx, route53(zone, "AAAA", "mail", ["2001:db8::25"])],
      "mail.example.org",
    ],
    ["has other records", zone, [mx, route53(zone, "TXT", "mail", ["x"])], "mail.example.org"],
    [
      "has an A record for some networks only",
      zone,
      [mx, inside, route53(inside, "A", "mail", ["10.0.0.1"])],
      "mail.example.org",
    ],
    ["is the zone itself", zone, [route53(zone, "MX", "", ["10 example.org"])], "example.org"],
    [
      "is another domain's",
      zone,
      [cloudflare("MX", "example.com", "mail.example.org"), route53(zone, "A", "www", ["203.0.113.25"])],
      "mail.example.org",
    ],
    [
      "is a domain of DigitalOcean's",
      domain(),
      [inDomain(digitalOcean("MX", "@", "mail.example.org."))],
      "mail.example.org",
    ],
    [
      "is a name below one with name servers",
      zone,
      [mx, route53(zone, "NS", "", ["ns.example.net"])],
      "mail.example.org",
    ],
  ])("a host without an A record in the zone of the stack: it %s", async (_, made, records, host) => {
    const { violations, notJudged } = await askStack(made, ...records);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `is ${host}, which has no A record in the zone example.org of this stack.`,
    );
    expect(notJudged).toEqual([]);
  });

  test("no mail in one resource, and a host in another", async () => {
    const none = digitalOcean("MX", "@", ".");
    const { violations } = await askStack(none, digitalOcean("MX", "example.org", "mail.example.net."));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("value says that the domain takes no mail");
  });
});

describe("mx-points-at-edge passes", () => {
  test.each([
    ["a host with an A record", [mx, a]],
    ["a host with addresses of both families", [mx, a, route53(zone, "AAAA", "mail", ["2001:db8::25"])]],
    ["a host elsewhere", [route53(zone, "MX", "", ["1 smtp.example.net."])]],
    [
      "a host by an alias",
      [mx, route53(zone, "A", "mail", undefined, { aliases: [{ name: "lb.example.net" }] })],
    ],
    ["a host by a wildcard", [mx, route53(zone, "A", "*", ["203.0.113.25"])]],
    [
      "a host in a zone below",
      [route53(zone, "MX", "", ["1 mx.mail.example.org"]), route53(zone, "NS", "mail", ["ns.example.net"])],
    ],
    ["a host in a zone of which the stack has the id alone", [cfMx]],
    ["a domain that takes no mail", [route53(zone, "MX", "", ["0 ."])]],
    [
      "no mail in one zone, mail in another",
      [digitalOcean("MX", "@", "."), cloudflare("MX", "@", "mail.example.net")],
    ],
    [
      "no mail of one name, mail of another",
      [digitalOcean("MX", "@", "."), digitalOcean("MX", "lists", "mail.example.net.")],
    ],
    [
      "its own addresses inside a network",
      [route53(inside, "MX", "", ["10 mail.example.org"]), route53(inside, "A", "mail", ["10.0.0.8"])],
    ],
    ["a CNAME inside, an A record outside", [mx, a, route53(inside, "CNAME", "mail", ["int.example.org"])]],
    ["a CNAME of another host", [mx, a, route53(zone, "CNAME", "www", ["mail.example.org"])]],
    [
      "a CNAME at the zone itself, which Cloudflare follows",
      [
        cloudflare("MX", "example.org", "example.org"),
        cloudflare("CNAME", "example.org", "edge.example.net"),
      ],
    ],
    [
      "a host as DigitalOcean's domain itself",
      [digitalOcean("MX", "@", "@"), digitalOcean("A", "@", "203.0.113.25")],
    ],
  ])("%s", async (_, resources) => {
    expect(await askStack(zone, inside, ...resources)).toEqual(PASSED);
    for (const one of resources.filter(({ props }) => (props as { type: string }).type === "MX"))
      expect(await ask(one)).toEqual(PASSED);
  });

  test("the domain itself, for which DigitalOcean makes an A record", async () => {
    const domain = {
      type: "digitalocean:index/domain:Domain",
      name: "d",
      props: { name: "example.org", ipAddress: "203.0.113.25" },
    };
    const own = {
      ...digitalOcean("MX", "@", "example.org."),
      propertyDependencies: { domain: [urnOf(domain)] },
    };
    expect(await askStack(domain, own)).toEqual(PASSED);
  });

  test("over the whole stack what one resource is refused for, or what its zone's name would tell", async () => {
    const mail = {
      type: "tailwart:mail:MailSettings",
      name: "mail",
      props: { tailnet: { domain: "tail1.ts.net" } },
    };
    for (const host of ["edge.tail1.ts.net", "203.0.113.25", "mail"])
      expect(await askStack(mail, hetzner("MX", "@", [`10 ${host}`], { zone: "4711" }))).toEqual(PASSED);
  });

  test("over other records and resources", async () => {
    expect((await ask(a)).notApplicable).toBe("no DNS record is in it");
    expect((await askStack(zone, a)).notApplicable).toBe("no DNS record is in it");
  });
});

describe("mx-points-at-edge lists as not judged", () => {
  test.each([
    ["an unknown host", cloudflare("MX", "@", UNKNOWN), "content"],
    ["an unknown host of a domain", digitalOcean("MX", "@", UNKNOWN), "value"],
    ["an unknown list", cloudDns("MX", "example.org.", UNKNOWN_LIST), "rrdatas"],
    ["an unknown one of a list", route53(zone, "MX", "@", ["10 a.example", UNKNOWN]), "records[1]"],
    ["an unknown one of an rrset", hetzner("MX", "@", [UNKNOWN]), "records[0].value"],
    ["an unknown type", cloudflare(UNKNOWN, "@", "203.0.113.25"), "type"],
  ])("%s", async (_, resource, where) => {
    expect(await ask(resource)).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });

  test("an unknown address of the host", async () => {
    const own = { ...route53(zone, "A", "mail", [UNKNOWN]) };
    expect(await askStack(zone, mx, own)).toEqual({
      violations: [],
      notJudged: ["records[0]: unknown until the update"],
    });
  });

  test("a private address in a zone that may be private", async () => {
    const records = [
      route53ById({ zoneId: "Z1", type: "MX", name: "example.org", records: ["10 mail.example.org"] }),
      route53ById({ zoneId: "Z1", type: "A", name: "mail.example.org", records: ["10.0.0.8"] }),
    ];
    expect(await askStack(...records)).toEqual({
      violations: [],
      notJudged: [
        "records[0]: mail.example.org has 10.0.0.8, which is right in a private zone; the stack does not tell whether this is one",
      ],
    });
  });

  test.each([
    ["a record's name is unknown", route53(zone, "A", UNKNOWN, ["203.0.113.25"])],
    [
      "a record's zone has no name",
      route53ById({ zoneId: "Z1", type: "A", name: "mail", records: ["203.0.113.25"] }),
    ],
  ])("a host without an A record, while %s", async (_, open) => {
    expect(await askStack(zone, mx, open)).toEqual({
      violations: [],
      notJudged: [
        `records[0]: has no A record in the stack's zone example.org, unless ${open.name} is one: its name or its zone's is not known`,
      ],
    });
    expect(
      (await askStack(zone, mx, cloudflare("A", "mail", "203.0.113.25", { zoneId: ZONE_ID }))).violations,
    ).toHaveLength(1);
  });
});
