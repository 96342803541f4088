import { describe, expect, test } from "vitest";
import { caaOf } from "../../policies/facts/dns/caa.ts";
import { caaMatchesAcmeAccount as policy } from "../../policies/rules/caa-matches-acme-account.ts";
import {
  cloudDns,
  cloudflare,
  cloudflareOld,
  digitalOcean,
  hetzner,
  hostedZone,
  inZone,
  madeZones,
  mailDns,
  ownRecords,
  route53,
} from "./dns-resources.ts";
import { PASSED, runStackPolicy, UNKNOWN, UNKNOWN_LIST, type Outcome, type TestResource } from "./harness.ts";
import { args, CONTAINER, keys, resource } from "./resources.ts";

const ZONES = madeZones("example.org");
const NET = madeZones("example.net").cloudflare;
const ask = (...resources: TestResource[]): Promise<Outcome> =>
  runStackPolicy(policy, [...Object.values(ZONES), NET, ...resources]);

const LE = "https://acme-v02.api.letsencrypt.org/directory";
const ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/1";
const stalwart = (client: object = {}): TestResource =>
  args({ acme: [{ directory: LE, challenge: "dns-01", names: ["mail.example.org"], ...client }] });
const wild = stalwart({ names: ["*.example.org"] });
const caddy = (caddyfile: string): TestResource =>
  resource(CONTAINER, "edge", { uploads: [{ file: "/etc/caddy/Caddyfile", content: caddyfile }] });
const SITE = "www.example.org {\n\trespond ok\n}\n";
const byHand = (value: string, tag = "issue", name: unknown = "example.org"): TestResource =>
  cloudflare("CAA", name, undefined, { data: { flags: 0, tag, value } });
/** A record in a zone that the stack makes. */
const caa = (value: string, tag = "issue", name = "example.org"): TestResource =>
  inZone(name === "example.net" ? NET : ZONES.cloudflare, byHand(value, tag, name));
const own = (...values: string[]): TestResource => ownRecords({ "mail.example.org CAA": values });

describe("caa-matches-acme-account refuses", () => {
  test("another CA, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await ask(stalwart(), own('0 issue "ca.example"', '0 issue ";"'));
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      'records["mail.example.org CAA"][0] lets ca.example sign, and Stalwart (mail, settings.acme[0].names[0]) orders the certificate for mail.example.org from letsencrypt.org by dns-01.',
    );
    expect(violations[0]).toMatch(/why: a CA refuses what CAA does not let it sign/);
    expect(violations[0]).toContain('instead: 0 issue "letsencrypt.org", or with accounturi=');
  });

  test.each([
    ["of Cloudflare", caa("ca.example"), "data.value lets ca.example sign"],
    [
      "of version 5",
      inZone(
        ZONES.cloudflare,
        cloudflareOld({ zoneId: "z", type: "CAA", name: "example.org", value: '0 issue "ca.example"' }),
      ),
      "value lets ca.example sign",
    ],
    [
      "of DigitalOcean",
      inZone(ZONES.digitalOcean, digitalOcean("CAA", "@", "ca.example.", { flags: 0, tag: "issue" })),
      "value lets ca.example sign",
    ],
    [
      "of Hetzner",
      inZone(ZONES.hetzner, hetzner("CAA", "mail", ['128 ISSUE "CA.example"'])),
      "records[0].value lets ca.example sign",
    ],
    [
      "of Cloud DNS",
      inZone(ZONES.cloudDns, cloudDns("CAA", "example.org.", ['0 issue "ca.example"'])),
      "rrdatas[0] lets ca.example sign",
    ],
    ["that is none", caa(";"), "data.value lets no CA sign"],
    [
      "that is empty",
      inZone(ZONES.cloudflare, cloudflare("CAA", "example.org", '0 issue ""')),
      "content lets no CA sign",
    ],
  ])("a CA %s", async (_, record, message) => {
    const { violations } = await ask(stalwart(), record);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  const zone = hostedZone("example.org");
  test.each([
    [
      "no wildcard",
      wild,
      [route53(zone, "CAA", "", ['0 issue "letsencrypt.org"', '0 issuewild ";"'])],
      "records[1] lets no CA sign",
    ],
    [
      "another CA's wildcards",
      wild,
      [caa("letsencrypt.org"), caa("ca.example", "issuewild")],
      "data.value lets ca.example sign",
    ],
    ["another CA, wildcards too", wild, [caa("ca.example")], "for *.example.org from letsencrypt.org"],
    [
      "the nearest record, whatever stands above",
      stalwart(),
      [caa("letsencrypt.org"), caa("ca.example", "issue", "mail.example.org")],
      "lets ca.example sign",
    ],
    [
      "one of two names",
      stalwart({ names: ["mail.example.org", "a.example.net"] }),
      [caa("ca.example"), caa("letsencrypt.org", "issue", "example.net")],
      "for mail.example.org",
    ],
  ])("a record that allows %s", async (_, client, records, message) => {
    const { violations } = await ask(zone, client, ...records);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(message);
  });

  test("a wildcard's record, with issuewild as what to write", async () => {
    const { violations } = await ask(wild, caa("ca.example"));
    expect(violations[0]).toContain('instead: 0 issuewild "letsencrypt.org"');
  });

  const STAGING = "https://acme-staging-v02.api.letsencrypt.org/acme/acct/7";
  test.each([
    ["of the CA's staging", [stalwart()], STAGING],
    [
      "of staging, where another one is declared",
      [stalwart(), mailDns({ acmeAccounts: [ACCOUNT] })],
      STAGING,
    ],
    [
      "that is not declared",
      [stalwart(), mailDns({ acmeAccounts: [ACCOUNT] })],
      "https://acme-v02.api.letsencrypt.org/acme/acct/2",
    ],
    ["of staging for Caddy", [caddy("mail.example.org {\n\trespond ok\n}\n")], STAGING],
  ])("an account %s", async (_, resources, account) => {
    const { violations, notJudged } = await ask(
      ...resources,
      own(`0 issue "letsencrypt.org; accounturi=${account}"`),
    );
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `records["mail.example.org CAA"][0] lets the account ${account} order, and `,
    );
  });

  test("another method than the client's, and says which it has", async () => {
    const { violations } = await ask(
      stalwart({ challenge: "tls-alpn-01" }),
      own('0 issue "ca.example"', '0 issue "letsencrypt.org; validationmethods=dns-01,http-01"'),
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("[1] lets the name be proved by dns-01, http-01 alone, and ");
    expect(violations[0]).toContain("from letsencrypt.org by tls-alpn-01.");
  });

  test.each([
    ["as it is", SITE, "lets ca.example sign"],
    ["with a CA of its own", `www.example.org {\n\ttls {\n\t\tca ${LE}\n\t}\n}\n`, "from letsencrypt.org."],
    [
      "with an issuer",
      "www.example.org {\n\ttls {\n\t\tissuer acme {\n\t\t\tdir https://acme.ssl.com/sslcom-dv-rsa\n\t\t}\n\t}\n}\n",
      "from ssl.com.",
    ],
    [
      "with an issuer in short",
      "www.example.org {\n\ttls {\n\t\tissuer acme https://acme.ssl.com/sslcom-dv-rsa\n\t}\n}\n",
      "from ssl.com.",
    ],
    ["with ZeroSSL", "www.example.org {\n\ttls {\n\t\tissuer zerossl key\n\t}\n}\n", "from sectigo.com."],
    [
      "with a CA of all sites",
      `{\n\tacme_ca https://dv.acme-v02.api.pki.goog/directory\n}\n${SITE}`,
      "from pki.goog.",
    ],
    [
      "with an issuer of all sites",
      `{\n\tcert_issuer acme https://acme.ssl.com/sslcom-dv-rsa\n}\n${SITE}`,
      "from ssl.com.",
    ],
  ])("another CA than Caddy's: %s", async (_, config, message) => {
    const { violations } = await ask(caddy(config), caa("ca.example"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("Caddy (edge, ");
    expect(violations[0]).toContain(message);
  });

  test("another CA than that of Stalwart's 0.15 line, which has one where it is told none", async () => {
    const line = keys({ "acme.le.challenge": "dns-01", "acme.le.domains": "mail.example.org" });
    const { violations } = await ask(line, caa("ca.example"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("from letsencrypt.org by dns-01.");
  });
});

describe("caa-matches-acme-account passes", () => {
  const zone = hostedZone("example.org");
  const inside = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
  const foreign = '0 issue "ca.example"';
  test.each([
    ["the CA that is ordered at", [stalwart(), own('0 issue "letsencrypt.org"')]],
    ["it among others", [stalwart(), own(foreign, "0 issue LetsEncrypt.org.")]],
    ["it in another resource", [stalwart(), caa("ca.example"), caa("letsencrypt.org")]],
    [
      "it in a route's variant",
      [
        zone,
        stalwart(),
        route53(zone, "CAA", "", [foreign], { setIdentifier: "a" }),
        route53(zone, "CAA", "", ['0 issue "letsencrypt.org"'], { setIdentifier: "b" }),
      ],
    ],
    [
      "the account that is declared",
      [
        stalwart(),
        mailDns({ acmeAccounts: ["https://acme.zerossl.com/v2/DV90/account/x", ACCOUNT] }),
        own(`0 issue "letsencrypt.org; accounturi=${ACCOUNT}"`),
      ],
    ],
    [
      "an account and none beside it",
      [
        stalwart(),
        own(`0 issue "letsencrypt.org; accounturi=https://x.example/2"`, '0 issue "letsencrypt.org"'),
      ],
    ],
    ["the method", [stalwart(), own('0 issue "letsencrypt.org; validationmethods=http-01, dns-01"')]],
    [
      "account and method, with the signs of a zone file",
      [
        stalwart(),
        mailDns({ acmeAccounts: [ACCOUNT] }),
        own(`0 issue "letsencrypt.org\\; validationmethods=DNS-01\\;accounturi=${ACCOUNT}"`),
      ],
    ],
    [
      "wildcards alone by another CA, and no wildcard is ordered",
      [stalwart(), caa("letsencrypt.org"), caa("ca.example", "issuewild")],
    ],
    [
      "wildcards by the CA, and no other name",
      [wild, caa("ca.example"), caa("letsencrypt.org", "issuewild")],
    ],
    ["nothing of certificates", [stalwart(), caa("mailto:a@example.org", "iodef")]],
    ["nothing of certificates for a wildcard", [wild, caa("ca.example", "issuemail")]],
    [
      "a text that is no CAA record",
      [stalwart(), cloudflare("CAA", "example.org", "issue"), caa("letsencrypt.org")],
    ],
    ["other names", [stalwart(), caa("ca.example", "issue", "example.net")]],
    ["names beside", [stalwart(), caa("ca.example", "issue", "www.example.org")]],
    ["inside a network", [inside, stalwart(), route53(inside, "CAA", "", [foreign])]],
    [
      "an alias, whose CAA is that of its target",
      [stalwart(), caa("ca.example"), cloudflare("CNAME", "mail.example.org", "x.example")],
    ],
    [
      "a zone of others",
      [
        stalwart({ names: ["a.mail.example.org"] }),
        caa("ca.example"),
        cloudflare("NS", "mail.example.org", "ns.example"),
      ],
    ],
    [
      "a record whose type is not known at the name",
      [stalwart(), caa("ca.example"), cloudflare(UNKNOWN, "mail.example.org", "x")],
    ],
    [
      "a wildcard that may be an alias",
      [stalwart(), caa("ca.example"), cloudflare("CNAME", "*.example.org", "x.example")],
    ],
    ["the CA that Caddy falls back to", [caddy(SITE), caa("sectigo.com")]],
    ["Caddy's own CA", [caddy(`www.example.org {\n\ttls internal\n}\n`), caa("ca.example")]],
    ["Caddy's first one", [caddy(SITE), caa("letsencrypt.org")]],
    [
      "ZeroSSL by another of its names",
      [stalwart({ directory: "https://acme.zerossl.com/v2/DV90" }), caa("comodoca.com")],
    ],
  ])("a record that allows %s", async (_, resources) => {
    expect(await ask(...resources)).toEqual(PASSED);
  });

  test("a wildcard of addresses does not hide what stands above", async () => {
    const { violations } = await ask(
      stalwart(),
      caa("ca.example"),
      cloudflare("A", "*.example.org", "203.0.113.1"),
    );
    expect(violations).toHaveLength(1);
  });

  test("addresses at the name, and a wildcard beside it, do not hide what stands above", async () => {
    const { violations } = await ask(
      stalwart(),
      caa("ca.example"),
      cloudflare("A", "mail.example.org", "203.0.113.1"),
      cloudflare("CNAME", "*.example.org", "x.example"),
    );
    expect(violations).toHaveLength(1);
  });

  test("over a stack without such records, or without certificates", async () => {
    expect((await ask(stalwart())).notApplicable).toBe("no CAA record is in the stack");
    expect(await ask(caa("ca.example"))).toEqual(PASSED);
  });
});

describe("caa-matches-acme-account lists as not judged", () => {
  const zone = hostedZone("example.org");
  const bars = (where: string, why: string, name = "mail.example.org"): Outcome => ({
    violations: [],
    notJudged: [
      `${where}: may bar Stalwart (mail, settings.acme[0].names[0]) from a certificate for ${name}: ${why}`,
    ],
  });
  const unsure = "the CA's name in CAA, or the account's URL, is not known";
  const here = 'records["mail.example.org CAA"][0]';
  test.each([
    [
      "a CA that nobody knows",
      stalwart({ directory: "https://ca.internal/acme" }),
      '0 issue "ca.internal"',
      unsure,
    ],
    ["a directory that is unknown", stalwart({ directory: UNKNOWN }), '0 issue "letsencrypt.org"', unsure],
    [
      "an account where none is declared",
      stalwart(),
      `0 issue "letsencrypt.org; accounturi=${ACCOUNT}"`,
      unsure,
    ],
    [
      "an account of a host that nobody knows",
      stalwart(),
      '0 issue "letsencrypt.org; accounturi=https://acme-v01.api.letsencrypt.org/acme/reg/1"',
      unsure,
    ],
    ["an account that is no URL", stalwart(), '0 issue "letsencrypt.org; accounturi=1"', unsure],
    [
      "a method where the client's is unknown",
      stalwart({ challenge: UNKNOWN }),
      '0 issue "letsencrypt.org; validationmethods=dns-01"',
      unsure,
    ],
    [
      "an account at a CA that may not heed it",
      stalwart({ directory: "https://acme.ssl.com/x" }),
      '0 issue "ssl.com; accounturi=https://acme-v02.api.letsencrypt.org/1"',
      unsure,
    ],
  ])("%s", async (_, client, value, why) => {
    expect(await ask(client, own(value))).toEqual(bars(here, why));
  });

  test.each([
    ["unknown values", [zone, route53(zone, "CAA", "", UNKNOWN_LIST)], "records"],
    ["values that a provider has", [cloudflare("CAA", "example.org", undefined)], "type"],
  ])("%s", async (_, records, where) => {
    expect(await ask(stalwart(), ...records)).toEqual(bars(where, "not all of its values are known"));
  });

  test.each([
    ["of a name that is not known", UNKNOWN],
    ["of a zone that the stack has the id of alone", "mail"],
  ])("what another record may say, %s", async (_, name) => {
    const nearer = byHand("letsencrypt.org", "issue", name);
    expect(await ask(stalwart(), caa("ca.example"), nearer)).toEqual(
      bars("data.value", `${nearer.name} may be nearer, its name is not known`),
    );
    expect(await ask(stalwart(), caa("letsencrypt.org"), nearer)).toEqual(PASSED);
    const other = cloudflare("A", name, "203.0.113.1");
    expect((await ask(stalwart(), caa("ca.example"), other)).violations).toHaveLength(1);
  });

  test.each([
    ["of the domain above", byHand("digicert.com"), "data.value"],
    ["of the name", byHand("digicert.com", "issue", "mail.example.org"), "data.value"],
    [
      "of the domain above, though tailwart writes it",
      ownRecords({ "example.org CAA": ['0 issue "digicert.com"'] }),
      'records["example.org CAA"][0]',
    ],
  ])("a foreign CA's record %s, in a zone that the stack does not make", async (_, record, where) => {
    expect(await ask(stalwart(), record)).toEqual(
      bars(
        where,
        "another record, nearer or beside it, may let the CA sign: the stack does not make the zone",
      ),
    );
  });

  test.each([
    ["Caddy's own", "issuer internal"],
    ["a module's of Caddy", "issuer step"],
  ])("a CA before Let's Encrypt that is %s", async (_, first) => {
    const site = `www.example.org {\n\ttls {\n\t\t${first}\n\t\tissuer acme\n\t}\n}\n`;
    const { violations, notJudged } = await ask(caddy(site), caa("digicert.com"));
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toContain(unsure);
  });

  test("Caddy's account", async () => {
    const { violations, notJudged } = await ask(caddy(SITE), caa(`letsencrypt.org; accounturi=${ACCOUNT}`));
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toContain("may bar Caddy (edge, ");
  });
});

test("a CAA record is read with and without quotes", () => {
  expect(caaOf('0 issue "ca.example; a = b=c ; validationmethods=x-01"')).toEqual({
    tag: "issue",
    issuer: "ca.example",
    account: undefined,
    methods: ["x-01"],
  });
  expect(caaOf("0 issue ca.example;accounturi=https://a/1")?.account).toBe("https://a/1");
  expect(caaOf("issue ca.example")).toBeUndefined();
});
