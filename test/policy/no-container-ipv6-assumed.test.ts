import { describe, expect, test } from "vitest";
import { noContainerIpv6Assumed as policy } from "../../policies/rules/no-container-ipv6-assumed.ts";
import {
  PASSED,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type TestResource,
} from "./harness.ts";
import { comesFrom, CONTAINER, resource } from "./resources.ts";

const settings = (keys: unknown, more: object = {}) =>
  resource("tailwart:mail:Settings", "mail-settings", {
    target: { container: "stalwart" },
    settings: keys,
    ...more,
  });
const container = (role: string, props: object, from: Record<string, TestResource[]> = {}) =>
  resource(CONTAINER, role, { labels: [{ label: "tailwart.role", value: role }], ...props }, comesFrom(from));
const network = (props: object = {}, name = "mail-network"): TestResource => ({
  type: "docker:index/network:Network",
  name,
  props: { name: "tailwart-mail", driver: "bridge", ...props },
});
const anchor = container("anchor", {
  networkMode: "tailwart-mail",
  networksAdvanced: [{ name: "tailwart-mail" }],
});
const without = [anchor, network({ ipv6: false })];
const MX = { "queue.route.direct.type": "mx" };
const LOOKUP = "queue.route.direct.ip-lookup";
const SOURCE = "queue.connection.default.source-ips";
const SINCE = "while the network mail-network has no ipv6: true";

test("no-container-ipv6-assumed says where, what, why and what to write instead", async () => {
  const { violations } = await runStackPolicy(policy, [settings({ [SOURCE]: "2001:db8::25" }), ...without]);
  expect(violations).toEqual([
    expect.stringContaining(`settings["${SOURCE}"] is an IPv6 address to send from, ${SINCE}.`),
  ]);
  expect(violations[0]).toMatch(/why: IPv6 of the host does not reach a container.* \(lesson 9, https:/);
  expect(violations[0]).toContain("instead: IPv4 source addresses, or none");
});

describe("no-container-ipv6-assumed refuses settings that", () => {
  test.each([
    [
      "prefer IPv6",
      { ...MX, [LOOKUP]: "ipv6_then_ipv4" },
      `settings["${LOOKUP}"] prefers IPv6 addresses, ${SINCE}`,
    ],
    [
      "use IPv6 alone",
      { ...MX, [LOOKUP]: "ipv6_only" },
      `settings["${LOOKUP}"] asks for IPv6 addresses alone, ${SINCE}`,
    ],
    [
      "hold one IPv6 address of several",
      { [`${SOURCE}.0000`]: "192.0.2.1", [`${SOURCE}.0001`]: "2001:db8::25" },
      `settings["${SOURCE}.0001"] is an IPv6`,
    ],
    ["hold an IPv4 address as IPv6", { [SOURCE]: "::ffff:192.0.2.1" }, `settings["${SOURCE}"] is an IPv6`],
    [
      "do so in a connection strategy by another name",
      { "queue.connection.a.b.source-ips": "fe80::1" },
      "is an IPv6",
    ],
  ])("%s", async (_, keys, text) => {
    const outcome = await runStackPolicy(policy, [settings(keys), ...without]);
    expect(outcome).toEqual({ violations: [expect.stringContaining(text)], notJudged: [] });
  });

  test("stand in the config file, and says so", async () => {
    const { violations } = await runStackPolicy(policy, [
      settings({}, { fileSettings: { [SOURCE]: "::1" } }),
      ...without,
    ]);
    expect(violations).toEqual([expect.stringContaining(`fileSettings["${SOURCE}"] is an IPv6`)]);
  });

  const uses = settings({ ...MX, [LOOKUP]: "ipv6_only" });
  const own = network({ name: "other" });
  test.each([
    ["its network says nothing of IPv6", [anchor, network()]],
    [
      "its network is known by where the mode comes from",
      [container("anchor", { networkMode: UNKNOWN }, { networkMode: [own] }), own],
    ],
    [
      "its network is known by the list alone",
      [container("anchor", { networkMode: "bridge", networksAdvanced: [{ name: "other" }] }), own],
    ],
    ["it is on Docker's own bridge", [container("anchor", { networkMode: "bridge" })]],
    ["no network is named", [container("anchor", {})]],
    [
      "another container's network has IPv6",
      [...without, container("edge", { networkMode: "v6" }), network({ name: "v6", ipv6: true }, "v6")],
    ],
    [
      "the sidecar holds the namespace, without an anchor",
      [
        container("sidecar", { networkMode: "tailwart-mail" }),
        container("stalwart", { networkMode: "container:sidecar" }),
        network(),
      ],
    ],
    [
      "the anchor comes after a sidecar that joins it by its id",
      [
        container("sidecar", { networkMode: UNKNOWN }, { networkMode: [anchor] }),
        ...without,
        network({ name: "v6", ipv6: true }, "v6"),
      ],
    ],
    [
      "the anchor comes after a sidecar on a network with IPv6",
      [container("sidecar", { networkMode: "v6" }), ...without, network({ name: "v6", ipv6: true }, "v6")],
    ],
    [
      "Stalwart holds the namespace and the sidecar joins it by name",
      [
        container("sidecar", { networkMode: "container:stalwart" }),
        container("stalwart", { networkMode: "tailwart-mail" }),
        network(),
      ],
    ],
    [
      "Stalwart holds the namespace and the sidecar joins it by an id that is unknown yet",
      [
        container("other", {}),
        container("sidecar", { networkMode: UNKNOWN }, { networkMode: [container("other", {})] }),
        container("stalwart", { networkMode: "tailwart-mail" }),
        network(),
      ],
    ],
  ])("count on IPv6, while %s", async (_, resources) => {
    const { violations, notJudged } = await runStackPolicy(policy, [uses, ...resources]);
    expect(violations).toEqual([
      expect.stringMatching(
        /asks for IPv6 addresses alone, while (?:the network .* has no ipv6: true|Docker's own bridge has none)\./,
      ),
    ]);
    expect(notJudged).toEqual([]);
  });
});

describe("no-container-ipv6-assumed accepts", () => {
  test.each([
    ["settings that look up IPv4 first", [settings({ ...MX, [LOOKUP]: "ipv4_then_ipv6" }), ...without]],
    ["settings that look up IPv4 alone", [settings({ ...MX, [LOOKUP]: "ipv4_only" }), ...without]],
    ["settings that say nothing of it", [settings({}), ...without]],
    ["an IPv4 source address", [settings({ [SOURCE]: "192.0.2.1" }), ...without]],
    [
      "a relay with a preference, which has no effect",
      [settings({ "queue.route.direct.type": "relay", [LOOKUP]: "ipv6_only" }), ...without],
    ],
    ["a preference without a route", [settings({ [LOOKUP]: "ipv6_only" }), ...without]],
    [
      "the name that an unused source address would take",
      [settings({ "queue.source-ip.2001:db8::25.ehlo-hostname": "mail.example.org" }), ...without],
    ],
    [
      "IPv6 on a network that has it",
      [settings({ ...MX, [LOOKUP]: "ipv6_only", [SOURCE]: "2001:db8::25" }), anchor, network({ ipv6: true })],
    ],
    [
      "IPv6 on one of two networks that has it",
      [
        settings({ [SOURCE]: "2001:db8::25" }),
        container("anchor", {
          networkMode: "tailwart-mail",
          networksAdvanced: [{ name: "tailwart-mail" }, { name: "v6" }],
        }),
        network(),
        network({ name: "v6", ipv6: true }, "v6"),
      ],
    ],
  ])("%s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });
});

describe("no-container-ipv6-assumed does not judge", () => {
  const uses = settings({ [SOURCE]: "2001:db8::25" });
  const line = (because: string): string[] => [`settings["${SOURCE}"]: ${because}`];
  test.each([
    [
      "a network whose ipv6 is unknown",
      [uses, anchor, network({ ipv6: UNKNOWN })],
      line("the network's ipv6 is unknown until the update"),
    ],
    [
      "a network that is no resource of the stack",
      [uses, anchor],
      line("the anchor's network is no resource of the stack"),
    ],
    [
      "one more network that is none",
      [
        uses,
        container("anchor", { networkMode: "tailwart-mail", networksAdvanced: [{ name: "theirs" }] }),
        network(),
      ],
      line("the anchor's network is no resource of the stack"),
    ],
    [
      "a network whose name is unknown",
      [uses, container("anchor", { networkMode: UNKNOWN }), network()],
      line("the anchor's network is unknown until the update"),
    ],
    [
      "a network whose name is unknown, beside one that Docker names",
      [uses, container("anchor", { networkMode: UNKNOWN }), network({ name: undefined })],
      line("the anchor's network is unknown until the update"),
    ],
    [
      "networks that are unknown",
      [uses, container("anchor", { networkMode: "bridge", networksAdvanced: UNKNOWN_LIST })],
      line("the anchor's network is unknown until the update"),
    ],
    [
      "a stack without an anchor",
      [uses, network()],
      line("the stack has no container with the label tailwart.role=anchor"),
    ],
    [
      "an unknown source address",
      [settings({ [SOURCE]: UNKNOWN }), ...without],
      line("unknown until the update"),
    ],
    [
      "an unknown preference",
      [settings({ ...MX, [LOOKUP]: UNKNOWN }), ...without],
      [`settings["${LOOKUP}"]: unknown until the update`],
    ],
    [
      "a preference of a route whose type is unknown",
      [settings({ "queue.route.direct.type": UNKNOWN, [LOOKUP]: "ipv6_only" }), ...without],
      ['settings["queue.route.direct.type"]: whether the route is of type mx is unknown until the update'],
    ],
    ["unknown settings", [settings(UNKNOWN_OBJECT), ...without], ["settings: unknown until the update"]],
    [
      "unknown settings beside an unknown network",
      [settings({ [`${SOURCE}.0`]: "::1", [`${SOURCE}.1`]: UNKNOWN }), anchor],
      [
        `settings["${SOURCE}.0"]: the anchor's network is no resource of the stack`,
        `settings["${SOURCE}.1"]: unknown until the update`,
      ],
    ],
  ])("%s", async (_, resources, notJudged) => {
    expect(await runStackPolicy(policy, resources)).toEqual({ violations: [], notJudged });
  });

  test.each([
    [
      "a relay's preference",
      [settings({ "queue.route.direct.type": "relay", [LOOKUP]: UNKNOWN }), ...without],
    ],
    ["another setting", [settings({ "queue.route.direct.address": UNKNOWN }), ...without]],
    [
      "a source address on a network with IPv6",
      [settings({ [SOURCE]: UNKNOWN }), anchor, network({ ipv6: true })],
    ],
    ["a network that nothing depends on", [settings({}), anchor, network({ ipv6: UNKNOWN })]],
  ])("and leaves unsaid what makes no difference: %s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  test("but still judges what is known", async () => {
    const outcome = await runStackPolicy(policy, [
      settings({ [`${SOURCE}.0`]: UNKNOWN, [`${SOURCE}.1`]: "::1" }),
      ...without,
    ]);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual([`settings["${SOURCE}.0"]: unknown until the update`]);
  });
});

test("no-container-ipv6-assumed repeats no secret", async () => {
  const keys = { [SOURCE]: secret("2001:db8::5eec:12e7"), ...MX, [LOOKUP]: secret("ipv6_only") };
  expect((await runStackPolicy(policy, [settings(keys), ...without])).violations).toHaveLength(2);
});

test("no-container-ipv6-assumed is not concerned with a stack without settings of Stalwart", async () => {
  const outcome = await runStackPolicy(policy, without);
  expect(outcome).toEqual({ ...PASSED, notApplicable: "the stack has no settings of Stalwart" });
});

const registry = (objects: unknown) =>
  resource("tailwart:mail:Registry", "mail-settings", { target: { container: "stalwart" }, objects });
const mxRoute = (more: object) => registry({ "MtaRoute/direct": { "@type": "Mx", name: "direct", ...more } });
const sendsFrom = (sourceIps: unknown) =>
  registry({ "MtaConnectionStrategy/default": { name: "default", sourceIps } });

describe("no-container-ipv6-assumed on Stalwart 0.16 and later", () => {
  test.each([
    [
      "a route that prefers IPv6",
      mxRoute({ ipLookupStrategy: "v6ThenV4" }),
      `objects["MtaRoute/direct"].ipLookupStrategy prefers IPv6 addresses, ${SINCE}`,
    ],
    [
      "a route that uses IPv6 alone",
      mxRoute({ ipLookupStrategy: "v6Only" }),
      `objects["MtaRoute/direct"].ipLookupStrategy asks for IPv6 addresses alone, ${SINCE}`,
    ],
    [
      "an IPv6 address among those to send from",
      sendsFrom({ 0: { sourceIp: "192.0.2.1" }, 1: { sourceIp: "2001:db8::25" } }),
      `objects["MtaConnectionStrategy/default"].sourceIps.1.sourceIp is an IPv6 address to send from, ${SINCE}`,
    ],
  ])("refuses %s", async (_, resource, says) => {
    const { violations, notJudged } = await runStackPolicy(policy, [resource, ...without]);
    expect(violations).toEqual([expect.stringContaining(says)]);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["a route that looks up IPv4 first", mxRoute({ ipLookupStrategy: "v4ThenV6" })],
    [
      "a relay, which has no such choice",
      registry({ "MtaRoute/smarthost": { "@type": "Relay", ipLookupStrategy: "v6Only" } }),
    ],
    ["IPv4 addresses to send from", sendsFrom({ 0: { sourceIp: "192.0.2.1" } })],
    ["other rows, whatever is unknown of them", registry({ "Domain/example.org": UNKNOWN })],
  ])("passes %s", async (_, resource) => {
    expect(await runStackPolicy(policy, [resource, ...without])).toEqual(PASSED);
  });

  test.each([
    ["the rows", registry(UNKNOWN_OBJECT), "objects"],
    ["a row", registry({ "MtaRoute/direct": UNKNOWN_OBJECT }), 'objects["MtaRoute/direct"]'],
    ["a lookup", mxRoute({ ipLookupStrategy: UNKNOWN }), 'objects["MtaRoute/direct"].ipLookupStrategy'],
    [
      "a route's variant",
      registry({ "MtaRoute/direct": { "@type": UNKNOWN, ipLookupStrategy: "v6Only" } }),
      'objects["MtaRoute/direct"]["@type"]',
    ],
    [
      "addresses to send from",
      sendsFrom(UNKNOWN_OBJECT),
      'objects["MtaConnectionStrategy/default"].sourceIps',
    ],
    [
      "one address to send from",
      sendsFrom({ 0: { sourceIp: UNKNOWN } }),
      'objects["MtaConnectionStrategy/default"].sourceIps.0.sourceIp',
    ],
  ])("does not judge %s that is unknown", async (_, resource, where) => {
    const { violations, notJudged } = await runStackPolicy(policy, [resource, ...without]);
    expect(violations).toEqual([]);
    expect(notJudged).toEqual([expect.stringContaining(`${where}: unknown until the update`)]);
  });
});
