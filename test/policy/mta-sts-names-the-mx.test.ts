import { describe, expect, test } from "vitest";
import { PackRun } from "../../policies/framework/pack-state.ts";
import { toSdkPolicy } from "../../policies/framework/sdk-policy.ts";
import { policiesIn } from "../../policies/facts/mta-sts.ts";
import { mtaStsNamesTheMx as policy } from "../../policies/rules/mta-sts-names-the-mx.ts";
import {
  cloudDns,
  cloudflare,
  digitalOcean,
  hetzner,
  hostedZone,
  ownRecords,
  route53,
} from "./dns-resources.ts";
import {
  askServed,
  PASSED,
  runPolicy,
  runStackPolicy,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { args, CONTAINER, resource } from "./resources.ts";

const ask = (one: TestResource): Promise<Outcome> => runPolicy(policy, one);
const askStack = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, resources);

const GOOD = "v=STSv1; id=20261102T080000";
const record = cloudflare("TXT", "_mta-sts.example.org", GOOD);
const mx = (host: string): TestResource => cloudflare("MX", "example.org", host);
const served = (mtaSts: unknown, more: object = {}): TestResource =>
  args({ hostname: "mail.example.org", domains: [{ name: "example.org" }], mtaSts, ...more });
const enforced = served({ mode: "enforce", mx: ["mail.example.org"] });
const text = (content: string): TestResource =>
  resource(CONTAINER, "web", { uploads: [{ file: "/srv/.well-known/mta-sts.txt", content }] });
const POLICY = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmx: *.backup.example\nmax_age: 604800\n";

describe("mta-sts-names-the-mx refuses", () => {
  test("an MX host that the policy does not name, and says where, what, why and what to write instead", async () => {
    const both = ownRecords({
      "_mta-sts.example.org TXT": [GOOD],
      "example.org MX": ["10 mail.example.org.", "20 mx2.example.org."],
    });
    const { violations, notJudged } = await askStack(enforced, both);
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      'settings.mtaSts.mx does not name mx2.example.org, to which the MX record of example.org leads (mail-dns-records, records["example.org MX"][1]).',
    );
    expect(violations[0]).toMatch(/why: a sender that keeps the policy brings no mail to an MX host/);
    expect(violations[0]).toContain(
      "instead: mx2.example.org among its mx, and then another id at _mta-sts.example.org",
    );
  });

  test.each([
    ["by a wildcard for two labels", served({ mode: "enforce", mx: ["*.example.org"] }), "a.mx.example.org"],
    [
      "by a wildcard for the domain itself",
      served({ mode: "enforce", mx: ["*.example.org"] }),
      "example.org",
    ],
    ["by the server's own name", served({ mode: "enforce", mx: [] }), "mx.example.org"],
    ["by the server's own name, with no word of hosts", served({ mode: "enforce" }), "mx.example.org"],
  ])("a host that is not named %s", async (_, policy, host) => {
    const { violations, notJudged } = await askStack(policy, record, mx(host));
    expect(notJudged).toEqual([]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`does not name ${host}, to which the MX record of example.org leads`);
  });

  test("a host as in a zone file, of the second domain", async () => {
    const two = served(
      { mode: "enforce", mx: ["mail.example.net"] },
      { domains: [{ name: "example.net" }, { name: "Example.org" }] },
    );
    const { violations } = await askStack(
      two,
      hetzner("TXT", "_mta-sts", [`"${GOOD}"`]),
      hetzner("MX", "@", ["10 mail"]),
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("does not name mail.example.org");
  });

  test("what is only tested as well, but as an advice", async () => {
    const levelOf = async (mode: string) => {
      const run = new PackRun([policy], "/");
      run.configure(new Map());
      const pack = [toSdkPolicy(policy, run)];
      return (await askServed(pack, [served({ mode }), record, mx("x.example.org")])).map(
        ({ level, message }) => [level, message.split(",", 1)[0]],
      );
    };
    const place = "settings.mtaSts.mx";
    expect(await levelOf("testing")).toEqual([["advisory", `${place} is tested`]]);
    expect(await levelOf("enforce")).toEqual([["mandatory", `${place} does not name x.example.org`]]);
  });

  test.each([
    ["no id", "v=STSv1;", "has no id"],
    ["an empty id", "v=STSv1; id=", 'has the id ""'],
    ["an id with hyphens", "v=STSv1; id=2026-11-02", 'has the id "2026-11-02"'],
    ["too long an id", `v=STSv1; id=${"1".repeat(33)}`, `has the id "${"1".repeat(33)}"`],
    ["the version in other letters", "v=stsv1; id=1", "does not begin with v=STSv1;"],
    ["no sign behind the version", "v=STSv1 id=1", "does not begin with v=STSv1;"],
    ["a blank in front", " v=STSv1 id=1", "does not begin with v=STSv1;"],
  ])("a record with %s", async (_, value, message) => {
    const { violations } = await ask(ownRecords({ "_mta-sts.example.org TXT": [value] }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`records["_mta-sts.example.org TXT"][0] ${message}`);
    expect(violations[0]).toMatch(/instead: v=STSv1; id= and 1 to 32 letters and digits/);
  });

  test("two records of one name", async () => {
    const { violations } = await ask(
      cloudDns("TXT", "_mta-sts.example.org.", [`"${GOOD}"`, '"v=STSv1; id=2"']),
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("rrdatas[1] is one more MTA-STS record of _mta-sts.example.org.");
    const other = await askStack(record, cloudflare("TXT", "_mta-sts.example.org", "v=STSv1; id=2"));
    expect(other.violations).toHaveLength(1);
    expect(other.violations[0]).toMatch(/instead: one v=STSv1 record/);
  });
});

describe("mta-sts-names-the-mx passes", () => {
  const zone = hostedZone("example.org");
  const inside = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
  test.each([
    ["hosts by name", [enforced, record, mx("Mail.example.org.")]],
    [
      "hosts by a wildcard",
      [served({ mode: "enforce", mx: ["*.Example.org"] }), record, mx("mail.example.org")],
    ],
    ["hosts in a file", [text(POLICY), record, mx("mail.example.org"), mx("in.backup.example")]],
    ["the same file twice", [text(POLICY), text(POLICY), record, mx("mail.example.org")]],
    [
      "hosts in a file with final dots",
      [text(POLICY.replace("mail.example.org", "mail.example.org.")), record, mx("mail.example.org")],
    ],
    ["the server's own name", [served({ mode: "enforce", mx: [] }), record, mx("mail.example.org")]],
    ["that it is off", [served({ mode: "disable", mx: ["x.example"] }), record, mx("mail.example.org")]],
    ["that it goes away", [text(POLICY.replace("enforce", "none")), record, mx("x.example.org")]],
    ["no mode yet", [text("version: STSv1\nmx: x.example\n"), record, mx("mail.example.org")]],
    ["another domain's hosts", [enforced, record, cloudflare("MX", "example.net", "x.example")]],
    [
      "hosts, in the record that nobody reads",
      [enforced, cloudflare("TXT", "mta-sts.example.org", GOOD), mx("x.example.org")],
    ],
    ["no mail at all", [enforced, record, mx(".")]],
    ["hosts, inside a network", [inside, enforced, record, route53(inside, "MX", "", ["10 x.example.org"])]],
    ["nothing here", [record, mx("x.example.org")]],
    [
      "something, of which the record is an alias",
      [text(POLICY), cloudflare("CNAME", "_mta-sts.example.org", "x.example"), mx("x.example")],
    ],
    [
      "something, where the record is another text",
      [text(POLICY), cloudflare("TXT", "_mta-sts.example.org", "x"), mx("x.example")],
    ],
    [
      "hosts of one of two domains",
      [text(POLICY), record, cloudflare("TXT", "_mta-sts.example.net", GOOD), mx("x.example")],
    ],
    ["hosts, in two files", [text(POLICY), text(POLICY.replace("mail", "mx")), record, mx("x.example")]],
    [
      "hosts, where the settings have no word of it",
      [args({ hostname: "x", domains: [{ name: "example.org" }] }), record, mx("x.example")],
    ],
    [
      "a host that is relative to a zone without a name",
      [enforced, record, hetzner("MX", "example.org.", ["10 mail"], { zone: "4711" })],
    ],
  ])("a policy that says %s", async (_, resources) => {
    expect(await askStack(zone, ...resources)).toMatchObject(PASSED);
  });

  test.each([
    ["a record", record],
    ["a record with another tag", digitalOcean("TXT", "_mta-sts", "v=STSv1 ; id=A1;x=y;")],
    ["a record that is written twice", cloudDns("TXT", "_mta-sts.x.", [`"${GOOD}"`, `"${GOOD}"`])],
    [
      "a record beside another text",
      cloudDns("TXT", "_mta-sts.x.", [`"${GOOD}"`, '"site-verification=v=STSv1"']),
    ],
  ])("%s", async (_, one) => {
    expect(await ask(one)).toEqual(PASSED);
  });

  test("over other resources", async () => {
    const nothing = "no DNS record is in it";
    expect((await ask(cloudflare("TXT", "example.org", "v=STSv1 id=1"))).notApplicable).toBe(nothing);
    expect((await ask(cloudflare("CNAME", "_mta-sts.example.org", "v=STSv1 id=1"))).notApplicable).toBe(
      nothing,
    );
    expect((await ask(cloudflare("TXT", UNKNOWN, "v=STSv1 id=1"))).notApplicable).toBe(nothing);
    expect((await askStack(enforced, mx("x.example.org"))).notApplicable).toBe(
      "no MTA-STS record is in the stack",
    );
  });
});

describe("mta-sts-names-the-mx lists as not judged", () => {
  test.each([
    ["hosts that are unknown", served({ mode: "enforce", mx: UNKNOWN_LIST }), "settings.mtaSts.mx"],
    ["one host that is unknown", served({ mode: "enforce", mx: [UNKNOWN] }), "settings.mtaSts.mx"],
    ["the server's name", served({ mode: "enforce", mx: [] }, { hostname: UNKNOWN }), "settings.mtaSts.mx"],
    [
      "hosts that are filled in later",
      text("version: STSv1\nmode: enforce\nmx: ${MX}\n"),
      "uploads[0].content",
    ],
  ])("%s", async (_, policy, where) => {
    expect(await askStack(policy, record, mx("mail.example.org"))).toEqual({
      violations: [],
      notJudged: [`${where}: may not name the MX hosts of example.org`],
    });
    expect(await askStack(policy, record)).toEqual(PASSED);
  });

  test.each([
    ["in a file", text(POLICY), "mx.example.org"],
    ["in a file of Windows", text(POLICY.replaceAll("\n", "\r\n")), "mx.example.org"],
    [
      "in a Caddyfile",
      text(`mta-sts.example.org {\n\trespond "${POLICY.replaceAll("\n", "\\n")}" 200\n}\n`),
      "mx.example.org",
    ],
    ["in a file without hosts", text("version: STSv1\nmode: enforce\nmax_age: 1\n"), "mx.example.org"],
    [
      "in a script",
      resource("command:remote:Command", "put", { create: `cat >x <<E\n${POLICY}E\n` }),
      "mx.example.org",
    ],
  ])("a host that is not named %s, which may be another domain's", async (_, policy, host) => {
    const { violations, notJudged } = await askStack(policy, record, mx(host));
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toMatch(
      /: does not name mx\.example\.org, to which the MX record of example\.org leads \(.*\); it may be another domain's$/,
    );
  });

  test("a file beside Stalwart's own policy, for the domain that is not Stalwart's", async () => {
    const net = cloudflare("TXT", "_mta-sts.example.net", GOOD);
    const { violations, notJudged } = await askStack(
      enforced,
      text(POLICY),
      record,
      net,
      cloudflare("MX", "example.net", "x.example"),
    );
    expect(violations).toEqual([]);
    expect(notJudged).toHaveLength(1);
    expect(notJudged[0]).toContain("uploads[0].content: does not name x.example");
  });

  test("a policy that is unknown, where it is silent", async () => {
    expect(await askStack(served(UNKNOWN_OBJECT), record, mx("x.example.org"))).toEqual(PASSED);
  });

  test("an MX record that is unknown", async () => {
    const zone = hostedZone("example.org");
    expect(
      await askStack(zone, enforced, record, route53(zone, "MX", "", ["10 mail.example.org", UNKNOWN])),
    ).toEqual({
      violations: [],
      notJudged: ["settings.mtaSts.mx: may lack an MX host of example.org: records[1] is unknown"],
    });
  });

  test("a record that is unknown", async () => {
    expect(await ask(cloudflare("TXT", "_mta-sts.example.org", UNKNOWN))).toEqual({
      violations: [],
      notJudged: ["content: unknown until the update"],
    });
  });
});

test("policies are found in files and in strings of configs", () => {
  expect(policiesIn(POLICY)).toEqual([{ mode: "enforce", mx: ["mail.example.org", "*.backup.example"] }]);
  expect(
    policiesIn(`a "version: STSv1\\r\\nmode: Testing\\nmx: a.b" 200\nmx: c.d\nversion: STSv1\nmode: off`),
  ).toEqual([
    { mode: "testing", mx: ["a.b", "c.d"] },
    { mode: undefined, mx: [] },
  ]);
  expect(policiesIn("mode: enforce\nmx: a.b")).toEqual([]);
});
