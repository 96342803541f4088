import { describe, expect, test } from "vitest";
import { edgeNeverBanned as policy, parseEdgeSettings } from "../../policies/rules/edge-never-banned.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
} from "./harness.ts";
import { args, keys, resource } from "./resources.ts";

const TRUST = {
  "server.listener.smtp.bind": "0.0.0.0:25",
  "server.listener.smtp.proxy.trusted-networks.0000": "100.64.0.0/10",
};
const allowing = (...networks: string[]) =>
  keys(Object.fromEntries(networks.map((network) => [`server.allowed-ip.${network}`, ""])), TRUST);
const LISTENERS = [
  { name: "smtp", port: 25, proxy: true },
  { name: "admin", port: 8080, proxy: false },
];
const component = (allowedIps: unknown, more: object = {}) =>
  args({ listeners: LISTENERS, proxyTrustedNetworks: ["100.64.0.0/10"], allowedIps, ...more });
const edge = (wanAddress: unknown) =>
  resource("tailwart:mail:CaddyEdge", "edge", { image: "caddy", wanAddress });
const GOOD = ["100.64.0.0/10", "198.51.100.7"];

describe("edge-never-banned refuses an allow-list without the tailnet's range", () => {
  test("and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await runPolicy(policy, allowing("198.51.100.7"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^settings \(server\.allowed-ip\.\*\) lacks 100\.64\.0\.0\/10, the range that the edge's tailnet address is of, while listeners demand PROXY headers\.\n {2}why: .*admin listener.*lesson 3/,
    );
    expect(violations[0]).toMatch(/instead: 100\.64\.0\.0\/10 among allowedIps/);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["where it is empty", allowing()],
    ["where half of the range is there", allowing("100.64.0.0/11")],
    ["where all but the middle of it is there", allowing("100.64.0.0/11", "100.112.0.0/12")],
    ["where only one node of it is there", allowing("100.101.102.103")],
    [
      "where an address is a value in place of a key",
      keys({ "server.allowed-ip.0000": "100.64.0.0/10" }, TRUST),
    ],
    [
      "where the PROXY trust is the whole server's",
      keys({}, { "server.proxy.trusted-networks": "10.0.0.0/8" }),
    ],
    [
      "where the network that is trusted is unknown",
      keys({}, { "server.listener.smtp.proxy.trusted-networks.0000": UNKNOWN }),
    ],
    ["in a component's args", component(["198.51.100.7"])],
    [
      "in a component whose listeners leave PROXY at its default",
      component([], { listeners: [{ name: "smtp", port: 25 }] }),
    ],
    [
      "in a component beside an unknown listener",
      component([], { listeners: [{ proxy: UNKNOWN }, { proxy: true }] }),
    ],
  ])("%s", async (_, resource) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.violations[0]).toContain("lacks 100.64.0.0/10");
    expect(outcome.notJudged).toEqual([]);
    expect(outcome.blind).toBeUndefined();
  });
});

describe("edge-never-banned refuses an allow-list without the edge's public address", () => {
  test.each([
    ["that the edge states", allowing("100.64.0.0/10"), "settings (server.allowed-ip.*)"],
    [
      "that the edge states, in a component",
      component(["100.64.0.0/10", "198.51.100.8"]),
      "settings.allowedIps",
    ],
  ])("%s", async (_, resource, where) => {
    const { violations, notJudged } = await runStackPolicy(policy, [edge("198.51.100.7"), resource]);
    expect(violations).toHaveLength(1);
    expect(violations[0]?.startsWith(`${where} lacks 198.51.100.7, the edge's public address`)).toBe(true);
    expect(notJudged).toEqual([]);
  });

  test("that the policy config names, before the resource is made", async () => {
    const config = { edgeAddresses: ["198.51.100.7", "2001:db8::7"] };
    const { violations } = await runPolicy(policy, allowing(...GOOD), { config });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("lacks 2001:db8::7, the edge's public address");
    const stack = await runStackPolicy(policy, [edge("198.51.100.7"), allowing()], { config });
    expect(stack.notApplicable).toBe("the policy config names the edge's addresses");
  });

  test("of the second of two edges", async () => {
    const second = { ...edge("198.51.100.9"), name: "second" };
    const { violations } = await runStackPolicy(policy, [edge("198.51.100.7"), second, allowing(...GOOD)]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("lacks 198.51.100.9");
  });
});

describe("edge-never-banned passes", () => {
  test.each([
    ["both", allowing(...GOOD)],
    ["a range that holds more", allowing("100.0.0.0/8", "198.51.100.0/24")],
    ["the range in two halves, in any order", allowing("100.96.0.0/11", "100.64.0.0/11", "198.51.100.7")],
    ["ranges that overlap", allowing("100.64.0.0/10", "100.64.0.0/16", "100.127.0.0/16", "198.51.100.7")],
    ["the range as IPv4-mapped IPv6", allowing("::ffff:100.64.0.0/106", "::ffff:198.51.100.7")],
    ["both in a component's args", component(GOOD)],
    ["both beside an unknown entry", component([UNKNOWN, ...GOOD])],
    ["addresses that are secrets", component(secret(GOOD))],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
    expect(await runStackPolicy(policy, [resource, edge("198.51.100.7")])).toEqual(PASSED);
  });

  test.each([
    ["no listener demands PROXY headers", keys({ "server.listener.smtp.bind": "0.0.0.0:25" })],
    ["no listener of a component demands them", component([], { listeners: [{ port: 25, proxy: false }] })],
    ["a component trusts nobody", component([], { proxyTrustedNetworks: [] })],
  ])("over an empty allow-list where %s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
    const stack = await runStackPolicy(policy, [resource, edge("198.51.100.7")]);
    expect(stack.notApplicable).toBe("no listener of the stack demands PROXY headers");
  });

  test("over other types", async () => {
    expect((await runPolicy(policy, edge("198.51.100.7"))).notApplicable).toMatch(
      /only tailwart:mail:Settings/,
    );
  });
});

describe("edge-never-banned lists as not judged", () => {
  test.each([
    ["settings that are unknown as a whole", keys(UNKNOWN_OBJECT, TRUST), ["settings"]],
    ["a config file that is unknown", keys({}, UNKNOWN_OBJECT), ["fileSettings"]],
    ["an entry that may be the range", component(["198.51.100.7", UNKNOWN]), ["settings.allowedIps[1]"]],
    ["an unknown allow-list", component(UNKNOWN_LIST), ["settings.allowedIps"]],
    [
      "unknown trust",
      component([], { proxyTrustedNetworks: UNKNOWN_LIST }),
      ["settings.proxyTrustedNetworks"],
    ],
    ["unknown listeners", component([], { listeners: UNKNOWN_LIST }), ["settings.listeners"]],
    [
      "a listener of which it is unknown",
      component([], { listeners: [{ proxy: UNKNOWN }] }),
      ["settings.listeners"],
    ],
  ])("%s", async (_, resource, places) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual(places.map((where) => `${where}: unknown until the update`));
    expect(outcome.blind).toBeUndefined();
  });

  test("an allow-list whose unknown entry may be the edge's address, with the address from the policy config", async () => {
    const config = { edgeAddresses: ["198.51.100.7"] };
    const outcome = await runPolicy(policy, component(["100.64.0.0/10", UNKNOWN]), { config });
    expect(outcome.notJudged).toEqual(["settings.allowedIps[1]: unknown until the update"]);
    expect(await runPolicy(policy, component([UNKNOWN]), { config })).toEqual({
      violations: [],
      notJudged: ["settings.allowedIps[0]: unknown until the update"],
    });
    const stack = await runStackPolicy(policy, [component(["100.64.0.0/10", UNKNOWN]), edge("198.51.100.7")]);
    expect(stack).toEqual(outcome);
  });

  test.each([
    ["no edge in the stack", []],
    ["an edge that states no address", [edge(undefined)]],
    ["an edge that states a name", [edge("edge.example.org")]],
    ["something else that states an address", [{ ...edge("198.51.100.7"), type: "tailwart:mail:Stalwart" }]],
  ])("the edge's half, with %s, and says how to name the address", async (_, edges) => {
    const outcome = await runStackPolicy(policy, [allowing("100.64.0.0/10"), ...edges]);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual([
      "settings (server.allowed-ip.*): no tailwart:mail:CaddyEdge states its wanAddress; edge-never-banned.edgeAddresses in the policy config names the edge's public address",
    ]);
  });

  test("an edge's unknown address, beside another that is judged", async () => {
    const outcome = await runStackPolicy(policy, [
      edge(UNKNOWN),
      { ...edge("198.51.100.9"), name: "b" },
      allowing(...GOOD),
    ]);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(["wanAddress: unknown until the update"]);
  });
});

describe("the policy config of edge-never-banned", () => {
  test.each([
    [{ edgeAddresses: "198.51.100.7" }, /edge-never-banned\.edgeAddresses accepts a list of addresses/],
    [{ edgeAddresses: ["edge.example.org"] }, /edge-never-banned\.edgeAddresses accepts/],
    [{ edgeAddresses: [7] }, /edge-never-banned\.edgeAddresses accepts/],
    [{ edgeAddress: [] }, /edge-never-banned\.edgeAddress is no key of this policy/],
  ])("refuses %j with the key's path", (config, message) => {
    expect(() => parseEdgeSettings(config)).toThrow(message);
  });
});
