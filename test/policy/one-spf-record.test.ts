import { describe, expect, test } from "vitest";
import { oneSpfRecord as policy } from "../../policies/rules/one-spf-record.ts";
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
  type Outcome,
  type TestResource,
} from "./harness.ts";

const ONE = "v=spf1 ip4:203.0.113.25 -all";
const OTHER = "v=spf1 include:_spf.example.net ~all";
const DMARC = "v=DMARC1; p=reject; rua=mailto:dmarc@example.org";
const OTHER_DMARC = "v=DMARC1;p=none";

const zone = hostedZone("example.org");
const ask = (resource: TestResource): Promise<Outcome> => runPolicy(policy, resource);
const askStack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);

describe("one-spf-record refuses within one resource", () => {
  test("two SPF records, and says where, what, why and what to write instead", async () => {
    const { violations } = await ask(route53(zone, "TXT", "example.org", ["google-site=x", ONE, OTHER]));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("records[2] is one more SPF record of example.org, beside records[1].");
    expect(violations[0]).toMatch(/why: two v=spf1 records.* are a permerror.*lesson 18/);
    expect(violations[0]).toMatch(/instead: one v=spf1 record with the mechanisms of both/);
  });

  test.each([
    [
      "in quotes, in capitals",
      route53(zone, "TXT", "example.org", [`"${ONE}"`, '"V=SPF1 -all"']),
      "records[1]",
    ],
    [
      "divided into strings",
      route53(zone, "TXT", "example.org", ['v=spf1 ip4:203.0.113.25" " -all', OTHER]),
      "records[1]",
    ],
    ["that say nothing", cloudDns("TXT", "example.org.", ['"v=spf1"', '"v=spf1 -all"']), "rrdatas[1]"],
    ["of a host", hetzner("txt", "mail", [`"${ONE}"`, `"${OTHER}"`]), "records[1].value"],
    ["of DMARC", hetzner("TXT", "_dmarc", [`"${DMARC}"`, `"${OTHER_DMARC}"`]), "records[1].value"],
    [
      "of DMARC at the whole name",
      cloudDns("TXT", "_dmarc.example.org.", [`"${DMARC}"`, '"v=DMARC1"']),
      "rrdatas[1]",
    ],
    ["while the name is unknown", cloudDns("TXT", UNKNOWN, [`"${ONE}"`, `"${OTHER}"`]), "rrdatas[1]"],
    [
      "while the type is unknown",
      cloudDns(UNKNOWN, "example.org.", [`"${ONE}"`, `"${OTHER}"`]),
      "rrdatas[1]",
    ],
  ])("two records %s", async (_, resource, where) => {
    const { violations } = await ask(resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`${where} is one more `);
  });

  test("a second and a third one, each", async () => {
    const three = route53(zone, "TXT", "example.org", [ONE, OTHER, "v=spf1 mx -all"]);
    expect((await ask(three)).violations).toHaveLength(2);
  });

  test.each([
    ["+all", "v=spf1 mx +all"],
    ["all", "v=spf1 mx all"],
    ["+ALL", "v=spf1 +ALL"],
  ])("an SPF record that ends in %s", async (all, text) => {
    const { violations } = await ask(cloudflare("TXT", "example.org", text));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`content ends in ${all}, which lets every host`);
    expect(violations[0]).toMatch(/instead: -all/);
  });

  test.each([
    ["ten includes and an mx", `${"include:x.example ".repeat(10)}mx`],
    [
      "every mechanism that asks",
      "a a:b.example a/24 mx mx:c.example ptr ptr:d exists:%{i}.e include:f +a ?mx",
    ],
    ["a redirect at the end", `${"a:x.example ".repeat(10)}redirect=_spf.example.net`],
    ["capitals and qualifiers", `${"-INCLUDE:x.example ~Exists:y ?A +MX ".repeat(3)}`],
  ])("more than ten lookups: %s", async (_, terms) => {
    const { violations } = await ask(digitalOcean("TXT", "@", `v=spf1 ${terms}`));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/value makes a receiver ask the DNS 1[12] times for its own terms alone/);
    expect(violations[0]).toMatch(/instead: ip4: and ip6:/);
  });

  test.each([
    ["of Route53", route53(zone, "SPF", "example.org", [ONE])],
    ["of Cloudflare's version 5", cloudflareOld({ zoneId: ZONE_ID, type: "SPF", name: "@", value: ONE })],
  ])("a record of type SPF %s", async (_, resource) => {
    const { violations } = await ask(resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("type is SPF, a type that no receiver asks for");
    expect(violations[0]).toMatch(/instead: TXT/);
  });
});

describe("one-spf-record refuses in several resources", () => {
  const old = (name: string, value: string): TestResource =>
    cloudflareOld({ zoneId: ZONE_ID, type: "TXT", name, value });

  test("an SPF record of a name that has one in another resource", async () => {
    const first = cloudflare("TXT", "example.org", ONE);
    const { violations } = await askStack(first, cloudflare("TXT", "example.org", `"${OTHER}"`));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `content is one more SPF record of example.org, beside that of ${first.name} (content).`,
    );
    expect(violations[0]).toMatch(/instead: .*API appends, delete the old one first/);
  });

  test.each([
    [
      "relative and whole, in a zone of the stack",
      route53(zone, "TXT", "", [ONE]),
      route53(zone, "TXT", "Example.org.", [OTHER]),
    ],
    [
      "of a host in a zone of the stack",
      route53(zone, "TXT", "mail", [ONE]),
      route53(zone, "TXT", "mail.example.org", [OTHER]),
    ],
    ["of a domain", digitalOcean("TXT", "@", ONE), digitalOcean("TXT", "example.org", OTHER)],
    ["in an rrset and a record", hetzner("TXT", "@", [`"${ONE}"`]), hetznerRecord("TXT", "@", `"${OTHER}"`)],
    ["of versions 5 and 6", old("@", ONE), cloudflare("TXT", "@", OTHER)],
    ["of DMARC", cloudflare("TXT", "_dmarc", DMARC), cloudflare("TXT", "_DMARC", OTHER_DMARC)],
    [
      "that an answer holds together",
      route53(zone, "TXT", "@", [ONE], { setIdentifier: "a", multivalueAnswerRoutingPolicy: true }),
      route53(zone, "TXT", "@", [OTHER], { setIdentifier: "b", multivalueAnswerRoutingPolicy: true }),
    ],
    [
      "of one variant",
      route53(zone, "TXT", "@", [ONE], { setIdentifier: "a" }),
      route53(zone, "TXT", "@", [OTHER], { setIdentifier: "a" }),
    ],
  ])("two records %s", async (_, first, second) => {
    const { violations, notJudged } = await askStack(zone, first, second);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`beside that of ${first.name} (`);
    expect(notJudged).toEqual([]);
  });

  test("what a resource does not give, and is unknown over the whole stack, is no record", async () => {
    const second = {
      ...cloudflareOld({ zoneId: ZONE_ID, type: "TXT", name: "@", content: UNKNOWN, value: OTHER }),
      propertyDependencies: {},
    };
    expect((await askStack(cloudflare("TXT", "@", ONE), second)).violations).toHaveLength(1);
  });
});

describe("one-spf-record passes", () => {
  test.each([
    [
      "one SPF record beside other texts",
      route53(zone, "TXT", "@", [ONE, "google-site-verification=v=spf1", "v=spf10 x"]),
    ],
    ["one that is written twice", route53(zone, "TXT", "@", [ONE, ONE])],
    [
      "two policies that are no SPF records of a name",
      cloudDns("TXT", "_dmarc.example.org.", [`"${ONE}"`, `"${OTHER}"`]),
    ],
    [
      "DMARC records elsewhere than at _dmarc",
      cloudDns("TXT", "example.org.", [`"${DMARC}"`, `"${OTHER_DMARC}"`]),
    ],
    [
      "a DMARC record beside another text",
      cloudDns("TXT", "_dmarc.x.example.", [`"${DMARC}"`, '"p=none; v=DMARC1"']),
    ],
    [
      "ten lookups",
      cloudflare(
        "TXT",
        "@",
        `v=spf1 ${"include:x.example ".repeat(10)}ip4:203.0.113.0/24 ip6:2001:db8::/32 -all`,
      ),
    ],
    [
      "names of mechanisms within terms",
      cloudflare("TXT", "@", `v=spf1 ${"ip4:203.0.113.1 exp=a.example x=mx ".repeat(6)}~all`),
    ],
    ["?all and all in a host's name", cloudflare("TXT", "@", "v=spf1 include:all a:all ?all")],
    ["a revoked sender", digitalOcean("TXT", "old", "v=spf1 -all")],
    ["an unknown challenge", cloudflare("TXT", "_acme-challenge", UNKNOWN)],
    ["an unknown key", cloudflare("TXT", "_smtp._tls.example.org", UNKNOWN)],
  ])("%s", async (_, resource) => {
    expect(await ask(resource)).toEqual(PASSED);
    expect(await askStack(zone, resource)).toEqual(PASSED);
  });

  const privateZone = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
  test.each([
    ["of two names", [cloudflare("TXT", "a.example.org", ONE), cloudflare("TXT", "b.example.org", OTHER)]],
    ["of two zones", [cloudflare("TXT", "@", ONE), cloudflare("TXT", "@", OTHER, { zoneId: "other" })]],
    ["inside and outside", [route53(zone, "TXT", "@", [ONE]), route53(privateZone, "TXT", "@", [OTHER])]],
    ["at two providers", [digitalOcean("TXT", "@", ONE), hetzner("TXT", "@", [`"${OTHER}"`])]],
    [
      "of which an answer holds one",
      [
        route53(zone, "TXT", "@", [ONE], { setIdentifier: "a" }),
        route53(zone, "TXT", "@", [OTHER], { setIdentifier: "b" }),
      ],
    ],
    ["of which one is written twice", [cloudflare("TXT", "@", ONE), cloudflare("TXT", "@", ONE)]],
    ["of which one is no TXT", [cloudflare("TXT", "@", ONE), cloudflare("HINFO", "@", OTHER)]],
    [
      "of zones without a name",
      [
        cloudflare("TXT", "@", ONE),
        cloudflare("TXT", "mail.example.org", OTHER),
        cloudflare("TXT", "list.example.org", OTHER),
      ],
    ],
  ])("two records %s", async (_, resources) => {
    expect(await askStack(zone, privateZone, ...resources)).toEqual(PASSED);
  });

  test("over other resources", async () => {
    const other = { type: "random:index/randomId:RandomId", props: { type: "TXT", records: [ONE, OTHER] } };
    expect((await ask(other)).notApplicable).toMatch(/^only cloudflare:.* are read$/);
    expect((await ask(cloudflare("A", "@", "203.0.113.25"))).notApplicable).toBe("no DNS record is in it");
    expect((await askStack(other)).notApplicable).toBe("no DNS record is in it");
  });
});

describe("one-spf-record lists as not judged", () => {
  test.each([
    ["an unknown text", cloudflare("TXT", "@", UNKNOWN), "content"],
    [
      "an unknown text of version 5",
      cloudflareOld({ zoneId: "z", type: "TXT", name: "@", value: UNKNOWN }),
      "value",
    ],
    ["an unknown list", cloudDns("TXT", "example.org.", UNKNOWN_LIST), "rrdatas"],
    [
      "an unknown one of a list",
      route53ById({ zoneId: "Z", type: "TXT", name: "@", records: [ONE, UNKNOWN] }),
      "records[1]",
    ],
    ["an unknown one of an rrset", hetzner("TXT", "_dmarc", [UNKNOWN]), "records[0].value"],
    ["an unknown text that others may include", cloudflare("TXT", "_spf.example.org", UNKNOWN), "content"],
    ["an unknown text of an unknown type", cloudflare(UNKNOWN, "@", UNKNOWN), "content"],
  ])("%s", async (_, resource, where) => {
    expect(await ask(resource)).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });

  test("an unknown name, where the stack has another record", async () => {
    const unnamed = cloudflare("TXT", UNKNOWN, ONE);
    expect(await askStack(unnamed)).toEqual(PASSED);
    expect(await askStack(unnamed, cloudflare("TXT", "@", OTHER))).toEqual({
      violations: [],
      notJudged: ["name: may be that of another one of the stack: it is unknown until the update"],
    });
  });

  test.each([
    ["the zone itself and a name", "@", "example.org", ONE, OTHER],
    ["a relative and a whole name", "mail", "mail.example.org", ONE, OTHER],
    ["two names of DMARC", "_dmarc", "_dmarc.example.org", DMARC, OTHER_DMARC],
  ])("%s in a zone of which the stack has the id alone", async (_, one, other, text, otherText) => {
    const first = cloudflare("TXT", one, text);
    expect(await askStack(first, cloudflare("TXT", other, otherText))).toEqual({
      violations: [],
      notJudged: [`name: may be the same as that of ${first.name}: the stack does not tell the zone's name`],
    });
  });
});
