import { describe, expect, test } from "vitest";
import { tailnetPolicyNotReset as policy } from "../../policies/rules/tailnet-policy-not-reset.ts";
import {
  PASSED,
  runPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_OBJECT,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { acl, headsOf } from "./resources.ts";

const NARROW = { grants: [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }] };
const dns = (kind: string, props: object, protect?: boolean): TestResource => ({
  type: `tailscale:index/${kind}:${kind.replace(/^d/, "D")}`,
  props,
  ...(protect !== undefined && { protect }),
});
const run = (resource: TestResource): Promise<Outcome> => runPolicy(policy, resource);
const heads = async (about: TestResource): Promise<string[]> => headsOf((await run(about)).violations);

describe("tailnet-policy-not-reset refuses", () => {
  test("to reset the policy file on destroy, and says where, what, why and what instead", async () => {
    const { violations } = await run(acl(NARROW, { resetAclOnDestroy: true }));
    expect(violations).toEqual([
      [
        "resetAclOnDestroy is true, so that destroying the resource gives the tailnet its default policy, which lets everybody reach everything.",
        "  why: the tailnet has one policy file and one set of names, so a mistake here opens or cuts off every machine of it at once (https://tailscale.com/kb/1395/tailnet-policy-file)",
        "  instead: resetAclOnDestroy: false, which is the default",
      ].join("\n"),
    ]);
  });

  test("to overwrite a policy file that nobody has read", async () => {
    expect(await heads(acl(NARROW, { overwriteExistingContent: true }))).toEqual([
      expect.stringMatching(/^overwriteExistingContent is true, so that the first update throws away/),
    ]);
  });

  test("everything that is wrong at once, also in a secret document, without repeating it", async () => {
    const document = JSON.stringify({
      acls: [{ src: ["*"], dst: ["*:*"] }],
      hosts: { swordfish1234: "10.0.0.1" },
    });
    const props = { acl: secret(document), resetAclOnDestroy: true, overwriteExistingContent: true };
    expect(await heads({ type: "tailscale:index/acl:Acl", props })).toEqual([
      expect.stringMatching(/^resetAclOnDestroy /),
      expect.stringMatching(/^overwriteExistingContent /),
      expect.stringMatching(/^acl acls\[0\] lets everybody reach everything/),
    ]);
  });

  const grant = (src: string[], dst: string[], ip: string[]) => ({ grants: [{ src, dst, ip }] });
  test.each([
    ["a grant of all to all", grant(["*"], ["*"], ["*"])],
    ["all of TCP", grant(["*"], ["*"], ["tcp:*"])],
    ["every port written out", grant(["*"], ["*"], ["1-65535"])],
    ["guests too", grant(["autogroup:danger-all"], ["*"], ["*"])],
    ["members and tagged nodes together", grant(["autogroup:member", "autogroup:tagged"], ["*"], ["*"])],
    ["the whole address range", grant(["100.64.0.0/10"], ["0.0.0.0/0"], ["*"])],
    [
      "one among others",
      grant(["tag:a", "*"], ["tag:b", "*", "autogroup:internet"], ["tcp:587", "icmp:*", "*"]),
    ],
  ])("a rule that opens everything: %s", async (_, document) => {
    expect(await heads(acl(document))).toEqual([
      "acl grants[0] lets everybody reach everything, so that no other rule restricts anything.",
    ]);
  });

  const names = {
    hosts: { anything: "0.0.0.0/0", tailnet: "100.64.0.0/10", one: "100.64.0.1", low: "100.64.0.0/11" },
    ipsets: {
      "ipset:all": ["add 100.64.0.0/10", "add fd7a:115c:a1e0::/48"],
      "ipset:halves": ["100.64.0.0-100.95.255.255", "add 100.96.0.0/11"],
      "ipset:nested": ["ipset:halves"],
      "ipset:half": ["host:low"],
      "ipset:holes": ["add 100.64.0.0/10", "remove 100.64.0.0/11"],
    },
  };
  const named = (src: string[], dst: string[], ip: string[]) => ({ ...names, ...grant(src, dst, ip) });
  const WIDE: [string, object][] = [
    ["an alias of a range", named(["tailnet"], ["anything"], ["*"])],
    ["an alias with its kind", named(["host:tailnet"], ["*"], ["*"])],
    ["an ipset", named(["ipset:all"], ["ipset:all"], ["*"])],
    ["an ipset of pieces", named(["ipset:halves"], ["*"], ["*"])],
    ["an ipset of an ipset", named(["*"], ["ipset:nested"], ["*"])],
    ["pieces side by side", named(["100.64.0.0/11", "100.96.0.0/11"], ["*"], ["*"])],
    ["pieces that overlap, in any order", named(["100.80.0.0-100.127.255.255", "low"], ["*"], ["*"])],
    ["every IPv6 address", named(["*"], ["fd7a:115c:a1e0::/48"], ["*"])],
    ["ports in pieces", named(["*"], ["*"], ["tcp:1-1024", "tcp:1000-65535"])],
    ["the protocol by its number", named(["*"], ["*"], ["6:*"])],
    ["ports from 0", named(["*"], ["*"], ["tcp:0-65535"])],
    [
      "a section that is null, which counts as missing, beside",
      { ...named(["*"], ["*"], ["*"]), acls: null },
    ],
  ];
  test.each(WIDE)("every node and port in other words: %s", async (_, document) => {
    expect(await heads(acl(document))).toEqual([expect.stringMatching(/^acl grants\[0\] lets everybody/)]);
  });

  const NARROWER: [string, object][] = [
    ["an alias of one address", named(["one"], ["*"], ["*"])],
    ["half of the range", named(["ipset:half"], ["*"], ["*"])],
    ["a set with holes, which is not worked out", named(["ipset:holes"], ["*"], ["*"])],
    ["pieces with a gap", named(["100.64.0.0/11", "100.112.0.0/12"], ["*"], ["*"])],
    ["an alias that the file does not have", named(["nobody"], ["*"], ["*"])],
    ["ports with a gap", named(["*"], ["*"], ["tcp:1-1024", "tcp:1026-65535"])],
    ["pieces of another protocol", named(["*"], ["*"], ["tcp:1-1024", "udp:1025-65535"])],
  ];
  test.each(NARROWER)("but not %s", async (_, document) => {
    expect(await run(acl(document))).toEqual(PASSED);
  });

  test("an old rule that opens everything, deep in HuJSON, and names its place", async () => {
    const text = `// mine
      { "grants": [], "acls": [ { "action": "accept", "src": ["tag:a"], "dst": ["tag:b:22"] },
        { "action": "accept", "src": ["*"], "dst": ["*:*"] }, ], }`;
    expect(await heads(acl(text))).toEqual([expect.stringMatching(/^acl acls\[1\] lets everybody/)]);
  });

  test("a file that opens everything by saying nothing", async () => {
    expect(await heads(acl({ tagOwners: {} }))).toEqual([expect.stringMatching(/^acl has no grants key/)]);
    for (const silent of [{ grants: null }, { acls: null, Grants: null }])
      expect(await heads(acl(silent))).toEqual([expect.stringMatching(/^acl has no grants key/)]);
    expect(await heads(acl(" \n"))).toEqual([expect.stringMatching(/^acl is empty/)]);
  });

  test.each([
    ["dnsPreferences", { magicDns: true }, "turns MagicDNS off for the whole tailnet"],
    ["dnsConfiguration", {}, "empties the tailnet's DNS settings, MagicDNS among them"],
    ["dnsNameservers", { nameservers: ["9.9.9.9"] }, "takes away the tailnet's last nameserver"],
  ])("%s without protection", async (kind, props, effect) => {
    expect(await heads(dns(kind, props))).toEqual([
      expect.stringContaining(`options.protect is not set, and destroying the resource ${effect}`),
    ]);
  });

  test.each(["dnsPreferences", "dnsConfiguration"])("%s that turns MagicDNS off now", async (kind) => {
    expect(await heads(dns(kind, { magicDns: false }, true))).toEqual([
      "magicDns is false, which turns MagicDNS off for the whole tailnet.",
    ]);
  });
});

describe("tailnet-policy-not-reset is silent about", () => {
  test.each([
    ["narrow grants", acl(NARROW)],
    [
      "flags that are written out as off",
      acl(NARROW, { resetAclOnDestroy: false, overwriteExistingContent: false }),
    ],
    ["no grant at all", acl({ grants: [] })],
    ["old rules alone", acl({ acls: [{ action: "accept", src: ["tag:a"], dst: ["tag:b:*"] }] })],
    ["a section in capitals, which control servers take", acl({ Grants: [] })],
    ["one port for all", acl({ grants: [{ src: ["*"], dst: ["*"], ip: ["tcp:443"] }] })],
    ["all of UDP alone", acl({ grants: [{ src: ["*"], dst: ["*"], ip: ["udp:*", "icmp:*"] }] })],
    ["all for one", acl({ grants: [{ src: ["autogroup:admin"], dst: ["*"], ip: ["*"] }] })],
    ["one for all", acl({ grants: [{ src: ["*"], dst: ["autogroup:internet"], ip: ["*"] }] })],
    ["people alone", acl({ grants: [{ src: ["autogroup:member"], dst: ["*"], ip: ["*"] }] })],
    ["tagged nodes alone", acl({ grants: [{ src: ["autogroup:tagged"], dst: ["*"], ip: ["*"] }] })],
    ["a subnet", acl({ grants: [{ src: ["*"], dst: ["10.0.0.0/8"], ip: ["*"] }] })],
    [
      "all for devices of a posture",
      acl({ grants: [{ src: ["*"], dst: ["*"], ip: ["*"], srcPosture: ["posture:x"] }] }),
    ],
    ["protected preferences", dns("dnsPreferences", { magicDns: true }, true)],
    ["protected DNS settings", dns("dnsConfiguration", {}, true)],
    ["protected nameservers", dns("dnsNameservers", { nameservers: ["9.9.9.9"] }, true)],
  ])("%s", async (_, resource) => {
    expect(await run(resource)).toEqual(PASSED);
  });
});

describe("tailnet-policy-not-reset judges what is known beside", () => {
  test("an unknown document", async () => {
    expect(await run(acl(UNKNOWN, { resetAclOnDestroy: true }))).toEqual({
      violations: [expect.stringMatching(/^resetAclOnDestroy is true/)],
      notJudged: ["acl: the tailnet policy file is unknown until the update"],
    });
  });

  test("unknown flags", async () => {
    const unknown = { resetAclOnDestroy: UNKNOWN, overwriteExistingContent: UNKNOWN_OBJECT };
    expect(await run(acl({ tagOwners: {} }, unknown))).toEqual({
      violations: [expect.stringMatching(/^acl has no grants key/)],
      notJudged: [
        "resetAclOnDestroy: unknown until the update",
        "overwriteExistingContent: unknown until the update",
      ],
    });
  });

  test("an unknown magicDns", async () => {
    expect(await run(dns("dnsPreferences", { magicDns: UNKNOWN }))).toEqual({
      violations: [expect.stringMatching(/^options\.protect is not set/)],
      notJudged: ["magicDns: unknown until the update"],
    });
  });

  test("and says that a text is no policy file", async () => {
    expect(await run(acl('{ "grants": ['))).toEqual({
      violations: [],
      notJudged: ["acl: the tailnet policy file cannot be parsed as HuJSON"],
    });
  });
});

test.each(["tailscale:index/dnsSearchPaths:DnsSearchPaths", "docker:index/container:Container"])(
  "tailnet-policy-not-reset does not concern %s",
  async (type) => {
    const outcome = await run({ type, props: { resetAclOnDestroy: true, magicDns: false } });
    expect(outcome).toEqual({ ...PASSED, notApplicable: expect.any(String) as string });
  },
);
