import { describe, expect, test } from "vitest";
import {
  parseTrustSettings,
  proxyTrustIsNarrow as policy,
} from "../../policies/rules/proxy-trust-is-narrow.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  type TestResource,
} from "./harness.ts";
import { acl, args, keys } from "./resources.ts";

const listener = (name: string, port: number, ...trust: unknown[]) => ({
  [`server.listener.${name}.bind`]: `0.0.0.0:${port}`,
  ...Object.fromEntries(
    trust.map((network, i) => [`server.listener.${name}.proxy.trusted-networks.000${i}`, network]),
  ),
});
const trusting = (...networks: unknown[]) => keys({}, listener("smtp", 25, ...networks));
const component = (proxyTrustedNetworks: unknown, more: object = {}) =>
  args({
    listeners: [
      { name: "imaps", port: 993, proxy: true },
      { name: "smtp", port: 25, proxy: true },
      { name: "admin", port: 8080, proxy: false },
    ],
    proxyTrustedNetworks,
    ...more,
  });
const TAILNET = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"];

describe("proxy-trust-is-narrow refuses trust", () => {
  test("in public addresses, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await runPolicy(policy, trusting("10.0.0.0/8", "203.0.113.0/24"));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^fileSettings\["server\.listener\.smtp\.proxy\.trusted-networks\.0001"\] trusts public addresses, so whoever connects from there can claim to be any client\.\n {2}why: .*lesson 3/,
    );
    expect(violations[0]).toMatch(/instead: the tailnet's ranges 100\.64\.0\.0\/10/);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["in loopback", trusting("127.0.0.0/8"), /trusts loopback.*health check/],
    ["in one loopback address", trusting(" 127.0.0.1 "), /trusts loopback/],
    ["in IPv6 loopback", trusting("::1/128"), /trusts loopback/],
    ["in IPv4-mapped loopback", trusting("::ffff:127.0.0.0/104"), /trusts loopback/],
    ["in all of IPv4", trusting("0.0.0.0/0"), /trusts public addresses, and loopback with them/],
    ["in all of IPv6", trusting("::/0"), /trusts public addresses, and loopback with them/],
    [
      "in a range that is wider than the private one",
      trusting("172.16.0.0/11"),
      /trusts public addresses, so/,
    ],
    ["in one public address", trusting("198.51.100.7"), /trusts public addresses, so/],
    ["in a documentation prefix of IPv6", trusting("2001:db8::/32"), /trusts public addresses, so/],
    [
      "that holds for the whole server",
      keys({ "server.proxy.trusted-networks": "0.0.0.0/0" }),
      /^settings\["server\.proxy\.trusted-networks"\] trusts public/,
    ],
    [
      "in a component's args",
      component(["100.64.0.0/10", "0.0.0.0/0"]),
      /^settings\.proxyTrustedNetworks\[1\] trusts public/,
    ],
    ["in a secret", trusting(secret("203.0.113.77/32")), /trusts public addresses, so/],
    [
      "beside what is unknown",
      component([UNKNOWN, "127.0.0.1"]),
      /^settings\.proxyTrustedNetworks\[1\] trusts loopback/,
    ],
  ])("%s", async (_, resource, words) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.violations[0]).toMatch(words);
    expect(outcome.blind).toBeUndefined();
  });
});

describe("proxy-trust-is-narrow passes trust", () => {
  test.each([
    ["in the tailnet's ranges", trusting(...TAILNET)],
    ["in private networks", trusting("10.1.0.0/16", "172.16.0.0/12", "192.168.7.9")],
    ["in a range that is made of private ones", trusting("fc00::/7", "fe80::/10", "169.254.0.0/16")],
    ["of a component", component(TAILNET)],
    ["that is not there", keys({ "server.listener.smtp.bind": "0.0.0.0:25" })],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });

  test("over other types", async () => {
    const resource = { type: "docker:index/container:Container", props: {} };
    expect((await runPolicy(policy, resource)).notApplicable).toMatch(/only tailwart:mail:Settings/);
  });
});

describe("proxy-trust-is-narrow lists as not judged", () => {
  test.each([
    [
      "an unknown network",
      trusting(UNKNOWN),
      'fileSettings["server.listener.smtp.proxy.trusted-networks.0000"]: unknown until the update',
    ],
    ["unknown settings", keys({}, UNKNOWN_OBJECT), "fileSettings: unknown until the update"],
    [
      "a component's unknown trust",
      component(UNKNOWN_LIST),
      "settings.proxyTrustedNetworks: unknown until the update",
    ],
    [
      "one unknown network of a component",
      component([...TAILNET, UNKNOWN]),
      "settings.proxyTrustedNetworks[2]: unknown until the update",
    ],
    [
      "what is no network, without repeating it",
      component([secret("hunter2hunter2")]),
      "settings.proxyTrustedNetworks[0]: is no address and no CIDR range",
    ],
    [
      "a prefix that is too long",
      component(["10.0.0.0/33"]),
      "settings.proxyTrustedNetworks[0]: is no address and no CIDR range",
    ],
  ])("%s", async (_, resource, line) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome).toEqual({ violations: [], notJudged: [line] });
  });
});

const sidecar: TestResource = {
  type: "tailwart:mail:TailnetSidecar",
  name: "mail",
  props: { tag: "tag:stalwart" },
};
const EDGE_GRANT = { src: ["tag:reverse-proxy"], dst: ["tag:stalwart"], ip: ["tcp:25", "tcp:993"] };
const granting = (...grants: object[]) => acl({ grants: [EDGE_GRANT, ...grants] });

describe("trust in the whole tailnet is refused", () => {
  test("while somebody else is granted a port with PROXY protocol, and the message says which rule, who and where", async () => {
    const open = granting({
      src: ["autogroup:member", "tag:monitor"],
      dst: ["tag:stalwart"],
      ip: ["tcp:20-30", "993"],
    });
    const { violations, notJudged } = await runStackPolicy(policy, [component(TAILNET), sidecar, open]);
    expect(violations).toHaveLength(2);
    expect(violations[0]).toMatch(
      /^acl grants\[1\] lets autogroup:member reach tag:stalwart on tcp 25, 993, where Stalwart believes any node of the tailnet's PROXY header\.\n {2}why: /,
    );
    expect(violations[0]).toMatch(/instead: tag:reverse-proxy as the only source for these ports/);
    expect(violations[1]).toContain("grants[1] lets tag:monitor reach");
    expect(notJudged).toEqual([]);
  });

  const all = (src: string) => ({ src: [src], dst: ["*"], ip: ["*"] });
  test.each([
    ["by a grant of everything", component(TAILNET), granting(all("*")), "grants[1] lets * reach"],
    ["by a policy file without grants", component(TAILNET), acl({}), "lets * reach"],
    [
      "by an old rule in HuJSON",
      component(TAILNET),
      acl(
        '{ // old\n "acls": [{"action": "accept", "src": ["group:ops"], "dst": ["tag:stalwart:25,465"]},] }',
      ),
      "acls[0] lets group:ops reach tag:stalwart on tcp 25,",
    ],
    [
      "where the settings resource alone says so",
      trusting("100.64.0.0/10"),
      granting(all("tag:db")),
      "tag:stalwart on tcp 25,",
    ],
    [
      "where only a part of the tailnet is trusted",
      trusting("100.64.0.0/16"),
      granting(all("tag:db")),
      "on tcp 25,",
    ],
    ["where IPv6 alone is trusted", trusting("fd7a:115c:a1e0::/48"), granting(all("tag:db")), "on tcp 25,"],
    [
      "where trust holds for the whole server",
      keys({}, { "server.listener.a.bind": "[::]:4190", "server.proxy.trusted-networks.0": "100.64.0.0/10" }),
      granting(all("tag:db")),
      "on tcp 4190,",
    ],
  ])("%s", async (_, settings, policyFile, words) => {
    const { violations } = await runStackPolicy(policy, [settings, sidecar, policyFile]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(words);
  });

  test("while it is granted to the default edge's tag and the policy config names another", async () => {
    const resources = [component(TAILNET), sidecar, granting()];
    const { violations } = await runStackPolicy(policy, resources, { config: { edgeTag: "tag:front" } });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("lets tag:reverse-proxy reach tag:stalwart on tcp 25, 993");
    expect(violations[0]).toContain("instead: tag:front as the only source");
  });
});

describe("trust in the whole tailnet passes", () => {
  const operators = { src: ["autogroup:admin"], dst: ["tag:stalwart"], ip: ["tcp:8080"] };
  const elsewhere = { src: ["*"], dst: ["tag:web", "tag:reverse-proxy"], ip: ["tcp:25"] };
  test.each([
    [
      "while only the edge is granted the ports, and operators another one",
      [component(TAILNET), sidecar, granting(operators, elsewhere)],
    ],
    [
      "over a listener whose own trust is another network",
      [
        keys(
          {},
          {
            ...listener("smtp", 25, "100.64.0.0/10"),
            ...listener("web", 8081, "10.0.0.0/8"),
          },
        ),
        sidecar,
        granting({ src: ["*"], dst: ["tag:stalwart"], ip: ["tcp:8081"] }),
      ],
    ],
    [
      "over a listener whose own trust replaces the server's",
      [
        keys(
          {},
          {
            ...listener("smtp", 25),
            ...listener("web", 8081, "10.0.0.0/8"),
            "server.proxy.trusted-networks": "100.64.0.0/10",
          },
        ),
        sidecar,
        granting({ src: ["*"], dst: ["tag:stalwart"], ip: ["tcp:8081"] }),
      ],
    ],
    [
      "where the edge is a node of the stack too",
      [
        component(TAILNET),
        sidecar,
        {
          type: "tailscale:index/tailnetKey:TailnetKey",
          name: "edge",
          props: { tags: ["tag:reverse-proxy"] },
        },
        granting(elsewhere),
      ],
    ],
  ])("%s", async (_, resources) => {
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  test.each([
    ["a private network is trusted", component(["10.0.0.0/8"])],
    ["one node is trusted, which another policy refuses", trusting("100.101.102.103")],
    ["nobody is trusted", keys({ "server.listener.smtp.bind": "0.0.0.0:25" })],
  ])("unjudged where %s", async (_, settings) => {
    const outcome = await runStackPolicy(policy, [
      settings,
      sidecar,
      granting({ src: ["*"], dst: ["*"], ip: ["*"] }),
    ]);
    expect(outcome.notApplicable).toBe("no settings of the stack trust the tailnet at large");
  });
});

describe("trust in the whole tailnet is listed as not judged", () => {
  const where = "settings.proxyTrustedNetworks[0]";
  test.each([
    [
      "without a policy file",
      [component(TAILNET), sidecar],
      `${where}: the stack has no tailnet policy file (tailscale.Acl) that says who reaches the ports`,
    ],
    [
      "with an unknown one",
      [component(TAILNET), sidecar, acl(UNKNOWN)],
      `${where}: the tailnet policy file is unknown until the update`,
    ],
    [
      "with a broken one",
      [component(TAILNET), sidecar, acl("{")],
      `${where}: the tailnet policy file cannot be parsed as HuJSON`,
    ],
    [
      "where no resource tells Stalwart's tag",
      [component(TAILNET), granting()],
      `${where}: the stack does not tell which tag Stalwart's node carries`,
    ],
    [
      "where the ports are unknown",
      [component(TAILNET, { listeners: UNKNOWN_LIST }), sidecar, granting()],
      `${where}: the stack does not tell which ports Stalwart listens on`,
    ],
    [
      "where a rule hangs on a posture",
      [
        component(TAILNET),
        sidecar,
        granting({ src: ["group:ops"], dst: ["tag:stalwart"], ip: ["tcp:25"], srcPosture: ["posture:x"] }),
      ],
      "acl grants[1] (group:ops): grants[1] may open it: it asks for the posture posture:x",
    ],
  ])("%s", async (_, resources, line) => {
    expect(await runStackPolicy(policy, resources)).toEqual({ violations: [], notJudged: [line] });
  });
});

describe("the policy config of proxy-trust-is-narrow", () => {
  test.each([
    [{ edgeTag: "reverse-proxy" }, /proxy-trust-is-narrow\.edgeTag accepts a tag of the tailnet/],
    [{ edgeTag: 7 }, /proxy-trust-is-narrow\.edgeTag accepts/],
    [{ edge: "tag:a" }, /proxy-trust-is-narrow\.edge is no key of this policy/],
  ])("refuses %j with the key's path", (config, message) => {
    expect(() => parseTrustSettings(config)).toThrow(message);
  });
});
