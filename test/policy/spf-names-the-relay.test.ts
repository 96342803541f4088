import { describe, expect, test } from "vitest";
import { readSpfTerm } from "../../lib/dns/spf-terms.ts";
import { spfNamesTheRelay as policy } from "../../policies/rules/spf-names-the-relay.ts";
import {
  cloudflare,
  digitalOcean,
  hetzner,
  hostedZone,
  inZone,
  madeZones,
  mailDns,
  ownRecords,
  route53,
  route53ById,
} from "./dns-resources.ts";
import { PASSED, runPolicy, runStackPolicy, UNKNOWN, type Outcome, type TestResource } from "./harness.ts";

const zone = hostedZone("example.org");
const inside = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
const ask = (resource: TestResource): Promise<Outcome> => runPolicy(policy, resource);
const askStack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);
const sends = (...egress: string[]): TestResource => mailDns({ egress });
const spf = (text: string): TestResource => cloudflare("TXT", "example.org", text);
/** A stack whose mail leaves from a place, and the record. */
const judge = (place: string, text: string, ...more: TestResource[]): Promise<Outcome> =>
  askStack(sends(place), spf(text), ...more);

const RELAY = "192.0.2.25";

describe("spf-names-the-relay refuses", () => {
  test("a record without the relay, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await askStack(
      sends(RELAY),
      ownRecords({ "example.org TXT": ["v=spf1 ip4:203.0.113.25 ~all"] }),
    );
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      'records["example.org TXT"][0] does not let 192.0.2.25 pass, from which mail of example.org leaves (egress of mail-dns).',
    );
    expect(violations[0]).toMatch(/why: receivers look the address that mail comes from up/);
    expect(violations[0]).toMatch(/instead: ip4:192\.0\.2\.25 in front of all/);
  });

  const made = madeZones("example.org").cloudflare;
  const a = inZone(made, cloudflare("A", "example.org", "203.0.113.25"));
  const mx = inZone(made, cloudflare("MX", "example.org", "mail.example.org"));
  const host = inZone(made, cloudflare("A", "mail.example.org", "203.0.113.25"));
  test.each([
    ["nobody at all", RELAY, "v=spf1 -all", []],
    ["nobody, without all", RELAY, "v=spf1", []],
    ["the edge in the relay's place", RELAY, "v=spf1 mx -all", [made, mx, host]],
    ["the domain's own address", RELAY, "v=spf1 a -all", [made, a]],
    ["another host's network", RELAY, "v=spf1 a:mail.example.org/24 -all", [made, host]],
    ["half of a network", "192.0.2.0/24", "v=spf1 ip4:192.0.2.0/25 -all", []],
    ["another family", "2001:db8::25", "v=spf1 ip4:192.0.2.25 ip6:2001:db8:1::/48 ?all", []],
    ["the relay behind what excludes it", RELAY, "v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.25 -all", []],
    ["the relay as one that should not send", RELAY, "v=spf1 ~ip4:192.0.2.25 -all", []],
    ["the relay as one of which nothing is said", RELAY, "v=spf1 ?ip4:192.0.2.25 ~all", []],
    ["a redirect that all leaves without effect", RELAY, "v=spf1 -all redirect=_spf.example.net", []],
    ["a redirect in front of all", RELAY, "v=spf1 redirect=_spf.example.net -all", []],
    ["an include that is not there", "include:_spf.example.net", "v=spf1 -include:_spf.example.net -all", []],
    ["only modifiers", RELAY, "v=spf1 exp=why.example.org x=y -all", []],
  ])("a record that names %s", async (_, place, text, more) => {
    const { violations, notJudged } = await judge(place, text, ...more);
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`content does not let ${place} pass`);
    const family = place.startsWith("2001:") ? "ip6:" : "ip4:";
    const term = place.startsWith("include:") ? place : family + place;
    expect(violations[0]).toContain(`instead: ${term} in front of all`);
  });

  test("each place that is missing", async () => {
    const { violations } = await askStack(
      sends(RELAY, "192.0.2.26", "include:x.example"),
      spf("v=spf1 ip4:192.0.2.26 -all"),
    );
    expect(violations).toHaveLength(1);
  });

  test.each([
    ["a blank behind the colon", "v=spf1 ip4: 192.0.2.25 -all", "ip4:"],
    ["a name in an address' place", "v=spf1 ip4:mail.example.org -all", "ip4:mail.example.org"],
    ["an IPv6 address as ip4", "v=spf1 ip4:2001:db8::25 -all", "ip4:2001:db8::25"],
    ["an IPv4 address as ip6", "v=spf1 ip6:192.0.2.25 -all", "ip6:192.0.2.25"],
    ["too long a prefix", "v=spf1 ip4:192.0.2.25/33 -all", "ip4:192.0.2.25/33"],
    ["too long a prefix of IPv6", "v=spf1 a//129 -all", "a//129"],
    ["a comma", "v=spf1 ip4:192.0.2.25, -all", "ip4:192.0.2.25,"],
    ["an unknown mechanism", "v=spf1 ip:192.0.2.25 -all", "ip:192.0.2.25"],
    ["a URL", "v=spf1 include:https://_spf.example.net -all", "include:https://_spf.example.net"],
    ["an include of nothing", "v=spf1 include -all", "include"],
    ["all with a name", "v=spf1 -all:example.org", "-all:example.org"],
    ["a redirect to nothing", "v=spf1 redirect=", "redirect="],
    ["another dash", "v=spf1 ip4:192.0.2.25 –all", "–all"],
  ])("a record that no receiver can read: %s", async (_, text, term) => {
    const { violations } = await ask(spf(text));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`content has ${term}, which no receiver can read`);
    expect(violations[0]).toMatch(/instead: ip4: or ip6: and an address/);
  });

  test.each([
    ["an include", "v=spf1 mx -all include:_spf.example.net", "include:_spf.example.net", "-all"],
    ["an address", "v=spf1 ~ALL ip4:192.0.2.25", "ip4:192.0.2.25", "~ALL"],
  ])("%s behind all", async (_, text, late, all) => {
    const { violations } = await ask(spf(text));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`content has ${late} behind ${all}, where no receiver reads on`);
    expect(violations[0]).toContain(`instead: ${late} in front of ${all}`);
  });

  test.each([
    ["the relay's address in the tailnet", "100.101.102.103", "a tailnet or a provider's NAT"],
    ["the same of IPv6", "fd7a:115c:a1e0::19", "a tailnet or a provider's NAT"],
    ["a private network", "10.0.0.0/8", "a private network"],
  ])("a record that names %s alone", async (_, address, kind) => {
    const family = address.includes(":") ? "ip6" : "ip4";
    const { violations } = await askStack(spf(`v=spf1 ${family}:${address} -all`));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `content lets mail pass from ${address.replace(/\/.*/, "")} alone, an address of ${kind}, and no receiver sees mail come from there`,
    );
    expect(violations[0]).toMatch(/instead: the address from which the relay reaches the internet/);
  });

  test("the same of a domain that sends, where the stack does not say from where", async () => {
    const { violations } = await askStack(mailDns({}), spf("v=spf1 ip4:100.64.0.9 -all"));
    expect(violations).toHaveLength(1);
  });
});

describe("spf-names-the-relay passes", () => {
  const mx = cloudflare("MX", "example.org", "mail.example.org");
  const both = [
    cloudflare("A", "mail.example.org", "192.0.2.25"),
    cloudflare("AAAA", "mail.example.org", "2001:db8::25"),
  ];
  test.each([
    ["its address", RELAY, "v=spf1 ip4:192.0.2.25 ~all", []],
    ["a network that holds it", RELAY, "V=SPF1 +IP4:192.0.2.0/24 -ALL", []],
    ["its network in two halves", "192.0.2.0/24", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all", []],
    ["its IPv6 address", "2001:DB8::25", "v=spf1 ip6:2001:db8::/32 -all", []],
    [
      "its address, before what excludes the network",
      RELAY,
      "v=spf1 ip4:192.0.2.25 -ip4:192.0.2.0/24 -all",
      [],
    ],
    [
      "its address, behind others that are excluded",
      RELAY,
      "v=spf1 -ip4:203.0.113.0/24 ip4:192.0.2.25 -all",
      [],
    ],
    ["its host", RELAY, "v=spf1 a:mail.example.org -all", both],
    ["its host of both families", "2001:db8::25", "v=spf1 a:mail.example.org -all", both],
    [
      "its host, beside a host that the stack does not have",
      RELAY,
      "v=spf1 mx -all",
      [mx, cloudflare("MX", "example.org", "mx.example.net"), ...both],
    ],
    ["its host's network", "192.0.2.99", "v=spf1 a:mail.example.org/24//64 -all", both],
    ["its host's network of IPv6", "2001:db8::99", "v=spf1 mx//64 -all", [mx, ...both]],
    ["the MX, which sends as well", RELAY, "v=spf1 mx -all", [mx, ...both]],
    ["its include", "include:_spf.example.net", "v=spf1 include:_SPF.example.net ~all", []],
    ["everybody", "include:_spf.example.net", "v=spf1 +all", []],
    ["everybody, by address", RELAY, "v=spf1 +all", []],
    [
      "its address beside what cannot be judged",
      RELAY,
      "v=spf1 exists:%{i}.x.example ip4:192.0.2.25 -all",
      [],
    ],
  ])("a record with %s", async (_, place, text, more) => {
    expect(await judge(place, text, ...more)).toEqual(PASSED);
    expect(await ask(spf(text))).toEqual(PASSED);
  });

  test.each([
    [
      "of a domain that the stack sends no mail of",
      [sends(RELAY), cloudflare("TXT", "example.net", "v=spf1 -all")],
    ],
    ["of a domain's host", [sends(RELAY), cloudflare("TXT", "mail.example.org", "v=spf1 a -all")]],
    ["inside a network", [sends(RELAY), inside, route53(inside, "TXT", "", ["v=spf1 ip4:10.0.0.0/8 -all"])]],
    ["where the stack sends nothing", [spf("v=spf1 -all")]],
    ["with a private address beside others", [spf("v=spf1 ip4:10.0.0.8 ip4:203.0.113.25 -all")]],
    ["with a private address beside a name", [spf("v=spf1 ip4:10.0.0.8 include:_spf.example.net -all")]],
    ["that others include", [cloudflare("TXT", "_spf.example.org", "v=spf1 ip4:10.0.0.8 -all")]],
    ["that excludes a private address alone", [spf("v=spf1 -ip4:10.0.0.8 ~all")]],
    [
      "of another type",
      [sends(RELAY), cloudflare("HINFO", "example.org", "v=spf1 -all"), spf("v=spf1 ip4:192.0.2.25")],
    ],
  ])("a record %s", async (_, resources) => {
    expect(await askStack(...resources)).toEqual(PASSED);
  });

  test.each([
    "v=spf1 a mx ptr ptr:x.example a:x.example/24 mx/24//64 exists:%{ir}.%{v}._spf.%{d2} ?all",
    "v=spf1 include:_spf.example.net. include:%{d}._spf.x.example redirect=_spf.example.org",
    "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 exp=explain._spf.%{d} ra=postmaster rp=100 -all x=y",
    "v=spf1 exp=%{l/}.why.example.org redirect=%{d/}x.org",
    "v=spf1 redirect=%{l1r+,-}._spf.%{d}",
    "v=spf1",
  ])("what a receiver can read: %s", async (text) => {
    expect(await ask(spf(text))).toEqual(PASSED);
  });

  test("over other resources and texts", async () => {
    const nothing = "no DNS record is in it";
    expect((await ask(cloudflare("A", "@", "203.0.113.25"))).notApplicable).toBe(nothing);
    expect((await askStack(sends(RELAY), cloudflare("TXT", "example.org", "x=y"))).notApplicable).toBe(
      nothing,
    );
    expect(await ask(cloudflare("TXT", "example.org", "ip4: x"))).toEqual(PASSED);
    expect(await ask(cloudflare("TXT", "s1._domainkey.example.org", UNKNOWN))).toEqual(PASSED);
  });
});

describe("spf-names-the-relay lists as not judged", () => {
  const open = `content: asks for more than the stack has: whether it lets ${RELAY} pass, from which mail of example.org leaves, is not known`;
  const made = madeZones("example.org").cloudflare;
  const mx = cloudflare("MX", "example.org", "mail.example.org");
  const host = cloudflare("A", "mail.example.org", "192.0.2.26");
  const [madeMx, madeHost] = [inZone(made, mx), inZone(made, host)];
  test.each([
    ["an include", "v=spf1 include:_spf.example.net -all", []],
    ["a redirect", "v=spf1 redirect=_spf.example.net", []],
    ["a macro", "v=spf1 exists:%{i}._spf.%{d} -all", []],
    ["ptr", "v=spf1 ptr:example.net -all", []],
    ["a host that the stack does not have", "v=spf1 a:out.example.net -all", []],
    ["an MX that the stack does not have", "v=spf1 mx -all", []],
    ["an MX whose host it does not have", "v=spf1 mx -all", [mx]],
    [
      "addresses beside one, in a zone that the stack does not make",
      "v=spf1 a:mail.example.org -all",
      [host],
    ],
    ["hosts beside an MX, in a zone that the stack does not make", "v=spf1 mx -all", [made, mx, madeHost]],
    ["a host's addresses beside one, of an MX of its own zone", "v=spf1 mx -all", [made, madeMx, host]],
    ["a host that may be excluded by another address", "v=spf1 -a:mail.example.org -all", [host]],
    [
      "a host whose address is not known",
      "v=spf1 a:mail.example.org -all",
      [cloudflare("A", "mail.example.org", UNKNOWN)],
    ],
    [
      "a host with a record of a kind that is not known, in a zone of the stack's making",
      "v=spf1 a:mail.example.org -all",
      [made, madeHost, inZone(made, cloudflare("A", "mail.example.org", "192.0.2.1", { type: UNKNOWN }))],
    ],
    [
      "a host of which one family's is not known",
      "v=spf1 a:mail.example.org -all",
      [cloudflare("A", "mail.example.org", "203.0.113.1"), cloudflare("AAAA", "mail.example.org", UNKNOWN)],
    ],
    [
      "a host that a provider answers for",
      "v=spf1 a:mail.example.org -all",
      [route53ById({ zoneId: "Z", type: "A", name: "mail.example.org", aliases: [{ name: "lb" }] })],
    ],
    [
      "a host beside an alias",
      "v=spf1 a:mail.example.org -all",
      [
        cloudflare("A", "mail.example.org", "203.0.113.1"),
        cloudflare("CNAME", "mail.example.org", "x.example"),
      ],
    ],
  ])("what only %s would tell", async (_, text, more) => {
    expect(await judge(RELAY, text, ...more)).toEqual({ violations: [], notJudged: [open] });
  });

  test.each(["a:mail.example.org", "mx"])("an IPv6 address beside the A record of %s", async (term) => {
    expect(await judge("2001:db8::25", `v=spf1 ${term} -all`, mx, host)).toEqual({
      violations: [],
      notJudged: [open.replace(RELAY, "2001:db8::25")],
    });
  });

  test("a relay's include among other names and addresses, which may be its own", async () => {
    const { violations, notJudged } = await judge("include:_spf.example.net", "v=spf1 ip4:192.0.2.25 -all");
    expect(violations).toEqual([]);
    expect(notJudged).toEqual([open.replace(RELAY, "include:_spf.example.net")]);
  });

  test.each([
    [
      "a redirect, which may have the relay's include",
      "include:_spf.example.net",
      "v=spf1 redirect=x.example",
    ],
    ["a place that is none", "the cellar", "v=spf1 ip4:192.0.2.25 -all"],
  ])("%s", async (_, place, text) => {
    expect(await judge(place, text)).toEqual({ violations: [], notJudged: [open.replace(RELAY, place)] });
  });

  test("a network of which a part is excluded", async () => {
    const { violations, notJudged } = await judge(
      "192.0.2.0/24",
      "v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/25 -all",
    );
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
  });

  test("that nobody may send, where it is not known whether anybody does", async () => {
    expect(await askStack(mailDns({}), spf("v=spf1 -all"))).toEqual({
      violations: [],
      notJudged: [
        "content: lets mail of example.org pass from nowhere; whether it has any is not known without relay.egress",
      ],
    });
    expect(await askStack(mailDns({}), spf("v=spf1 ip4:203.0.113.25 -all"))).toEqual(PASSED);
  });

  test("a private address in a zone that may be for a network only", async () => {
    const { violations, notJudged } = await askStack(
      route53ById({ zoneId: "Z", type: "TXT", name: "example.org", records: ["v=spf1 ip4:10.0.0.8 -all"] }),
    );
    expect(violations).toEqual([]);
    expect(notJudged).toEqual([
      "records[0]: lets mail pass from 10.0.0.8 alone, an address of a private network, which is right in a private zone; the stack does not tell whether this is one",
    ]);
  });

  test.each([
    ["an unknown text", digitalOcean("TXT", "@", UNKNOWN), "value"],
    ["an unknown one of an rrset", hetzner("TXT", "@", [UNKNOWN]), "records[0].value"],
    [
      "a domain of tailwart's own",
      ownRecords({}, { records: { "example.org": UNKNOWN } }),
      'records["example.org"]',
    ],
    ["all of tailwart's own", ownRecords({}, { records: UNKNOWN }), "records"],
  ])("%s", async (_, resource, where) => {
    expect(await ask(resource)).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
    expect((await askStack(zone, resource)).notApplicable).toBe("no DNS record is in it");
  });
});

test("a term is read with its qualifier, name, value and prefix", () => {
  expect(readSpfTerm("~A:Mail.example.org/24//64")).toEqual({
    qualifier: "~",
    name: "a",
    value: "mail.example.org",
    prefix: "/24//64",
  });
  expect(readSpfTerm("redirect=x.example")).toEqual({
    qualifier: "",
    name: "redirect",
    value: "x.example",
    prefix: "",
  });
  expect(readSpfTerm("exists:%{i/}.x/24")?.value).toBe("%{i/}.x");
  expect(readSpfTerm("ip4:%{i}")).toBeUndefined();
  expect(readSpfTerm("ip4:192.0.2.1//64")).toBeUndefined();
});
