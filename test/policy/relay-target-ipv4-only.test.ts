import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostsIn } from "../../policies/facts/relays/settings.ts";
import {
  parseRelayTargetSettings,
  relayTargetIpv4Only as policy,
} from "../../policies/rules/relay-target-ipv4-only.ts";
import { RCODE, startDnsServer, type TestDnsServer } from "./dns-server.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type Outcome,
  type TestResource,
} from "./harness.ts";
import { acl, CONTAINER, resource } from "./resources.ts";

const container = (...envs: unknown[]) => resource(CONTAINER, "app", { envs });
const settings = (relay: unknown, more: object = {}) =>
  resource("tailwart:mail:MailSettings", "mail", { relay, ...more });
const sidecar: TestResource = {
  type: "docker:index/container:Container",
  name: "ts",
  props: { envs: ["TS_EXTRA_ARGS=--login-server=http://x --advertise-tags=tag:stalwart"] },
};

let dns: TestDnsServer;
let resolver: string;
const ask = (resource: TestResource): Promise<Outcome> =>
  runPolicy(policy, resource, { config: { resolver, timeoutMs: 300 } });
const askStack = (...resources: TestResource[]): Promise<Outcome> =>
  runStackPolicy(policy, resources, { config: { resolver, timeoutMs: 300 } });

beforeAll(async () => {
  dns = await startDnsServer({
    "dual.example.org": { aaaa: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25] },
    "v4.example.org": { rcode: RCODE.noError },
    "broken.example.org": { rcode: RCODE.servFail },
    "mute.example.org": "mute",
  });
  resolver = dns.address;
});
afterAll(() => dns.close());

describe("relay-target-ipv4-only refuses", () => {
  test.each([
    ["a plain IPv6 literal", "RELAY_HOST=2001:db8::25"],
    ["a bracketed IPv6 literal with a port", "SMARTHOST=[2001:db8::25]:587"],
    ["an IPv6 literal in a URL with a login", "RELAYHOST=smtp://user:opensesame@[2001:db8::25]:587"],
    ["the second of two", "SMARTHOSTS=v4.example.org:587, [2001:db8::25]:587"],
    ["a variable with an image's own prefix", "POSTFIX_RELAYHOST=[2001:db8::25]:25"],
    ["SMTP_HOST", "SMTP_HOST=2001:db8::25"],
  ])("%s", async (_, env) => {
    const { violations } = await runPolicy(policy, container("A=b", secret(env)));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`envs (${env.split("=")[0]}) relays to 2001:db8::25, an IPv6 address`);
    expect(violations[0]).toMatch(/why: .*no IPv6.*lesson 8/);
    expect(violations[0]).toMatch(/instead: .*MagicDNS name/);
  });

  test.each([
    ["in a component's args", settings({ host: "2001:db8::25", port: 587 }), "relay.host"],
    [
      "nested in a component's args",
      settings(undefined, { queue: { routes: [{ relay: { address: "[2001:db8::25]" } }] } }),
      "queue.routes[0].relay.address",
    ],
    [
      "under a flat key of the settings resource",
      {
        type: "tailwart:mail:Settings",
        props: { settings: { "queue.route.relay.address": "2001:db8::25" } },
      },
      'settings["queue.route.relay.address"]',
    ],
  ])("an IPv6 literal %s", async (_, resource, where) => {
    const { violations } = await runPolicy(policy, resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]?.startsWith(`${where} relays to 2001:db8::25`)).toBe(true);
  });

  test("a name with an AAAA record, when a resolver is configured", async () => {
    const { violations } = await ask(container("RELAY_HOST=dual.example.org:587"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `envs (RELAY_HOST) relays to dual.example.org, which has an AAAA record (2001:db8::25, says ${resolver})`,
    );
  });

  test("a tailnet node's IPv6 literal", async () => {
    const { violations } = await runPolicy(policy, container("SMARTHOST=[fd7a:115c:a1e0::19]:587"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("relays to fd7a:115c:a1e0::19, an IPv6 address");
  });

  test("an IPv6 literal beside unknown values, which are listed", async () => {
    const outcome = await runPolicy(policy, container(UNKNOWN, "SMARTHOST=2001:db8::25"));
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(["envs[0]: unknown until the update"]);
    expect(outcome.blind).toBeUndefined();
  });

  test.each([
    [
      "magicdns-aaaa for every node",
      { nodeAttrs: [{ target: ["*"], attr: ["magicdns-aaaa"] }] },
      "magicdns-aaaa",
    ],
    [
      "magicdns-aaaa for the sidecar's tag",
      {
        nodeAttrs: [
          { target: ["tag:x"], attr: [] },
          { target: ["tag:stalwart"], attr: ["funnel", "magicdns-aaaa"] },
        ],
      },
      "magicdns-aaaa",
    ],
    [
      "disable-ipv4 for every node",
      { nodeAttrs: [{ target: ["*"], attr: ["disable-ipv4"] }] },
      "disable-ipv4",
    ],
    [
      "disable-ipv4 for a tag that the sidecar is granted to reach",
      {
        grants: [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }],
        nodeAttrs: [{ target: ["tag:mail"], attr: ["disable-ipv4"] }],
      },
      "disable-ipv4",
    ],
    [
      "disable-ipv4 for the sidecar's tag, whose node then asks for the relay's IPv6 address",
      {
        grants: [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }],
        nodeAttrs: [{ target: ["tag:stalwart"], attr: ["disable-ipv4"] }],
      },
      "disable-ipv4, which leaves the node that asks without an IPv4 address",
    ],
    [
      "disable-ipv4 for the sidecar's tag, and the stack does not tell the relay's",
      { nodeAttrs: [{ target: ["tag:stalwart"], attr: ["disable-ipv4"] }] },
      "disable-ipv4, which leaves the node that asks without an IPv4 address",
    ],
    [
      "magicdns-aaaa for every node with a tag",
      { nodeAttrs: [{ target: ["autogroup:tagged"], attr: ["magicdns-aaaa"] }] },
      "magicdns-aaaa",
    ],
  ])("a name of the tailnet while the policy file sets %s", async (_, document, attribute) => {
    const { violations } = await runStackPolicy(policy, [
      sidecar,
      container("RELAY_HOST=mailbox.tail1.ts.net"),
      acl(document),
    ]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `relays to mailbox.tail1.ts.net, while the tailnet policy file's nodeAttrs set ${attribute}`,
    );
  });

  test("a name of the tailnet whose domain only a component states, from HuJSON", async () => {
    const document = '{\n // for all\n "nodeAttrs": [{"target": ["*"], "attr": ["magicdns-aaaa"],}],\n}';
    const resources = [
      settings({ host: "mailbox.tail.test" }, { tailnet: { domain: "tail.test" } }),
      acl(document),
    ];
    expect((await runStackPolicy(policy, resources)).violations).toHaveLength(1);
  });
});

describe("relay-target-ipv4-only passes", () => {
  test.each([
    ["an IPv4 literal", "RELAY_HOST=203.0.113.40:587"],
    ["an IPv4-only name", "RELAY_HOST=v4.example.org:587"],
    ["a name that does not exist", "RELAY_HOST=nowhere.example.org"],
  ])("%s, when a resolver is configured", async (_, env) => {
    expect(await ask(container(env))).toEqual(PASSED);
    const stack = await askStack(container(env));
    expect(stack.violations).toEqual([]);
    expect(stack.notJudged).toEqual([]);
  });

  test("a name of the tailnet by the policy file, without asking anybody", async () => {
    const before = dns.asked.length;
    const document = {
      grants: [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }],
      nodeAttrs: [
        { target: ["tag:other"], attr: ["magicdns-aaaa", "disable-ipv4"] },
        { target: ["group:staff", "a@example.org", "autogroup:member"], attr: ["magicdns-aaaa"] },
        { target: ["tag:mail"], attr: ["magicdns-aaaa"] }, // only the node that asks counts
        ...[null, {}, { target: "tag:mail", attr: "disable-ipv4" }],
      ],
    };
    for (const host of ["mailbox", "mailbox.tail1.ts.net", "mailbox.tail1.ts.net."]) {
      expect(await askStack(sidecar, settings({ host }), acl(document))).toEqual(PASSED);
      expect(await ask(settings({ host }))).toEqual(PASSED);
    }
    expect(dns.asked.length).toBe(before);
  });

  test.each([
    "RELAY_PORT=587",
    "RELAY_PASSWORD=2001:db8::25",
    "SMARTHOST_TLS=true",
    "SMTP_HOSTNAME_X=::1",
    "DNS_SERVER=2001:db8::25",
  ])("over %s, which names no relay", async (env) => {
    expect((await ask(container(env))).notApplicable).toBe("the resource names no relay");
  });

  test("over other types", async () => {
    const outcome = await runPolicy(policy, {
      type: "random:index/randomId:RandomId",
      props: { relay: { host: "2001:db8::25" } },
    });
    expect(outcome.notApplicable).toMatch(/only tailwart:mail/);
    expect((await runStackPolicy(policy, [container("A=b")])).notApplicable).toBe(
      "no relay of the stack is named",
    );
  });
});

describe("relay-target-ipv4-only lists as not judged", () => {
  test("a name, while no resolver is configured, and says how to turn that on", async () => {
    const relay = container("RELAY_HOST=dual.example.org");
    expect(await runPolicy(policy, relay)).toEqual(PASSED);
    const outcome = await runStackPolicy(policy, [relay]);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual([
      "envs (RELAY_HOST) dual.example.org: no resolver is configured to ask for AAAA records; relay-target-ipv4-only.resolver in the policy config turns it on",
    ]);
  });

  test.each([
    ["mute.example.org", "no answer in 300 ms"],
    ["broken.example.org", "answered ESERVFAIL"],
  ])("%s, which could not be asked: %s", async (host, reason) => {
    const started = performance.now();
    const outcome = await askStack(container(`RELAY_HOST=${host}`));
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual([`envs (RELAY_HOST) ${host}: resolver ${resolver}: ${reason}`]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("a name of the tailnet without a policy file in the stack, or with one that is unknown or broken", async () => {
    const relay = container("RELAY_HOST=mailbox.tail1.ts.net");
    expect((await runStackPolicy(policy, [relay])).notJudged.join()).toContain("no tailnet policy file");
    expect((await runStackPolicy(policy, [relay, acl(UNKNOWN)])).notJudged.join()).toContain(
      "unknown until the update",
    );
    expect((await runStackPolicy(policy, [relay, acl("{")])).notJudged.join()).toContain("cannot be parsed");
  });

  test("a name of the tailnet, when an attribute is set for a tag and the stack does not tell its nodes' tags", async () => {
    const document = { nodeAttrs: [{ target: ["tag:stalwart"], attr: ["magicdns-aaaa"] }] };
    const outcome = await runStackPolicy(policy, [
      container("RELAY_HOST=mailbox.tail1.ts.net"),
      acl(document),
    ]);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged.join()).toContain("magicdns-aaaa for nodes whose tags the stack does not tell");
  });

  test.each([
    [
      "disable-ipv4 is set for a tag, of the asking node or the relay's, and the stack tells neither",
      "tag:x",
    ],
    ["disable-ipv4 is set for a host, which may be any of them", "some-host"],
  ])("a name of the tailnet once, when %s", async (_, target) => {
    const document = { nodeAttrs: [{ target: [target], attr: ["disable-ipv4"] }] };
    const resources = [container("RELAY_HOST=mailbox.tail1.ts.net"), acl(document)];
    expect(await runStackPolicy(policy, resources)).toEqual({
      violations: [],
      notJudged: [
        "envs (RELAY_HOST) mailbox.tail1.ts.net: nodeAttrs set disable-ipv4 for nodes whose tags the stack does not tell",
      ],
    });
  });

  test("what is no host name, without repeating it", async () => {
    const outcome = await runStackPolicy(policy, [container(secret("RELAY_HOST=open_sesame!"))]);
    expect(outcome.notJudged).toEqual(["envs (RELAY_HOST): is no host name that could be asked for"]);
  });

  test.each([
    ["an unknown relay host", settings({ host: UNKNOWN, port: 587 }), "relay.host"],
    ["an unknown relay", settings(UNKNOWN_OBJECT), "relay"],
    [
      "an unknown environment",
      { type: "docker:index/container:Container", props: { envs: UNKNOWN_LIST } },
      "envs",
    ],
  ])("%s", async (_, resource, where) => {
    expect(await runPolicy(policy, resource)).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });
});

describe("the hosts of a relay setting", () => {
  test.each([
    ["mail.example.org", ["mail.example.org"]],
    ["mail.example.org:587", ["mail.example.org"]],
    ["mail.example.org::587", ["mail.example.org"]],
    ["[mail.example.org]:587", ["mail.example.org"]],
    ["smtps://u:p%40@mail.example.org:465/x?y", ["mail.example.org"]],
    ["2001:db8::1", ["2001:db8::1"]],
    ["a.example:25;b.example , [::1]:25", ["a.example", "b.example", "::1"]],
    ["true", []],
    ["587", []],
    ["", []],
  ])("%s", (setting, hosts) => {
    expect(hostsIn(setting)).toEqual(hosts);
  });
});

describe("the policy's config", () => {
  test.each([
    [
      { resolver: "dns.example.org" },
      /relay-target-ipv4-only\.resolver accepts an address with an optional port; write for example "203\.0\.113\.1:53"/,
    ],
    [{ resolver: 53 }, /\.resolver accepts/],
    [{ resolver: "203.0.113.1:99999" }, /\.resolver accepts/],
    [{ timeoutMs: 10 }, /\.timeoutMs accepts whole milliseconds/],
    [{ timeoutMs: "2000" }, /\.timeoutMs accepts/],
    [{ timeoutMs: 250.5 }, /\.timeoutMs accepts/],
    [{ timeoutMs: 10_001 }, /\.timeoutMs accepts/],
    [{ tailnetDomains: "tail.test" }, /\.tailnetDomains accepts a list/],
    [{ tailnetDomains: ["100.64.0.1"] }, /\.tailnetDomains accepts a list/],
    [{ tailnetDomains: ["tailnet"] }, /\.tailnetDomains accepts a list/],
    [{ tailnetDomains: ["tail.test", 7] }, /\.tailnetDomains accepts a list/],
    [
      { resolvers: [] },
      /relay-target-ipv4-only\.resolvers is no key of this policy; write one of resolver, timeoutMs, tailnetDomains/,
    ],
  ])("%j is refused", (raw, message) => {
    expect(() => parseRelayTargetSettings(raw)).toThrow(message);
  });

  test("has defaults, and takes IPv6 resolvers in brackets", () => {
    expect(parseRelayTargetSettings({})).toEqual({
      resolver: undefined,
      timeoutMs: 2000,
      tailnetDomains: [],
    });
    expect(parseRelayTargetSettings({ resolver: "[2001:db8::53]:53" }).resolver).toBe("[2001:db8::53]:53");
    const tailnetDomains = ["tail7b1641.ts.net", "tail.test"];
    expect(parseRelayTargetSettings({ tailnetDomains }).tailnetDomains).toEqual(tailnetDomains);
  });

  test("is refused through the SDK without a stack", async () => {
    const run = runPolicy(policy, container("RELAY_HOST=a.example"), { config: { resolver: "x" } });
    await expect(run).rejects.toThrow(/relay-target-ipv4-only\.resolver accepts/);
    await expect(run).rejects.not.toThrow(/\n\s+at /);
  });
});
