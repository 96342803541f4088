import { describe, expect, test } from "vitest";
import { noAaaaWithoutV6Edge as policy } from "../../policies/rules/no-aaaa-without-v6-edge.ts";
import { cloudDns, cloudflare, digitalOcean, hetzner, hostedZone, route53 } from "./dns-resources.ts";
import { PASSED, runStackPolicy, UNKNOWN, type Outcome, type TestResource } from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const zone = hostedZone("example.org");
const ask = (...resources: TestResource[]): Promise<Outcome> => runStackPolicy(policy, [zone, ...resources]);

const mx = route53(zone, "MX", "", ["10 mail.example.org"]);
const a = route53(zone, "A", "mail", ["203.0.113.25"]);
const aaaa = route53(zone, "AAAA", "mail", ["2001:db8::25"]);

const container = (name: string, props: object) => resource(CONTAINER, name, props);
const publishing = (...ports: object[]): TestResource => container("edge", { ports });
const edge = (props: object): TestResource => ({ type: "tailwart:mail:CaddyEdge", name: "edge", props });
const layer4 = (...listen: string[]): string =>
  JSON.stringify({
    apps: {
      layer4: {
        servers: {
          smtp: { listen, routes: [{ handle: [{ handler: "proxy", upstreams: [{ dial: ["s:25"] }] }] }] },
        },
      },
    },
  });
const caddy = (listen: string, props: object = { networkMode: "host" }): TestResource =>
  container("edge", { uploads: [{ file: "/etc/caddy/caddy.json", content: layer4(listen) }], ...props });
const command = (listen: string) =>
  resource("command:local:Command", "edge", { create: "caddy reload", stdin: layer4(listen) });

describe("no-aaaa-without-v6-edge refuses", () => {
  test("an AAAA record of an MX's host, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await ask(
      mx,
      a,
      aaaa,
      publishing({ internal: 25, external: 25, ip: "0.0.0.0" }),
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(
      `records[0] gives mail.example.org, to which the MX record ${mx.name} points, an IPv6 address, while edge (ports[0]) takes mail over IPv4 alone.`,
    );
    expect(violations[0]).toMatch(/why: a sender that has IPv6 tries the AAAA first.*lesson 17/);
    expect(violations[0]).toMatch(/instead: no AAAA record of this name until the edge listens on IPv6/);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["a port on one address", publishing({ internal: 2525, external: 25, ip: "203.0.113.25" })],
    ["a port on an address behind a NAT", publishing({ internal: 25, external: 25, ip: "10.0.0.4" })],
    [
      "a port where Docker's provider binds it",
      publishing({ internal: 443, external: 443, ip: "::" }, { internal: 25, external: 25 }),
    ],
    ["Caddy on every IPv4 address", caddy("tcp4/:25")],
    ["Caddy on one address", caddy("203.0.113.25:25")],
    ["Caddy with a range of ports", caddy("203.0.113.25:20-30")],
    ["tailwart's edge", edge({ wanAddress: "203.0.113.25" })],
    [
      "a port beside one for the host alone",
      publishing(
        { internal: 25, external: 25, ip: "::1" },
        { internal: 25, external: 25, ip: "203.0.113.25" },
      ),
    ],
  ])("it while mail comes in by %s", async (_, one) => {
    const { violations } = await ask(mx, a, aaaa, one);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("takes mail over IPv4 alone");
  });

  test.each([
    [
      "Cloudflare",
      cloudflare("MX", "example.org", "mail.example.org"),
      cloudflare("AAAA", "mail.example.org", "2001:db8::25"),
    ],
    ["DigitalOcean", digitalOcean("MX", "@", "mail"), digitalOcean("AAAA", "mail", "2001:db8::25")],
    [
      "Cloud DNS",
      cloudDns("MX", "example.org.", ["1 mail.example.org."]),
      cloudDns("AAAA", "mail.example.org.", ["2001:db8::25"]),
    ],
    ["Hetzner", hetzner("MX", "@", ["10 mail"]), hetzner("AAAA", "mail", ["2001:db8::25"])],
    ["two providers", mx, cloudflare("AAAA", "mail.example.org", "2001:db8::25")],
    [
      "an alias of Route53",
      mx,
      route53(zone, "AAAA", "mail", undefined, { aliases: [{ name: "lb.example" }] }),
    ],
  ])("it at %s", async (_, own, record) => {
    expect((await ask(own, record, publishing({ internal: 25, external: 25 }))).violations).toHaveLength(1);
  });

  test("the edge's host alone, of several, and once for several domains", async () => {
    const others = [
      route53(zone, "MX", "lists", ["10 mail.example.org", "20 backup.example.org"]),
      route53(zone, "A", "backup", ["198.51.100.9"]),
    ];
    const { violations, notJudged } = await ask(mx, a, aaaa, ...others, edge({ wanAddress: "203.0.113.25" }));
    expect(violations).toHaveLength(1);
    expect(notJudged).toEqual([]);
  });
});

describe("no-aaaa-without-v6-edge passes", () => {
  test.each([
    ["a port on every IPv6 address", publishing({ internal: 25, external: 25, ip: "::" })],
    [
      "a port on one IPv6 address",
      publishing({ internal: 25, external: 25 }, { internal: 25, external: 25, ip: "2001:db8::25" }),
    ],
    ["Caddy on every address", caddy(":25")],
    ["Caddy on every address, by a command", command(":25")],
    ["Caddy on one IPv6 address", caddy("[2001:db8::25]:25")],
    [
      "tailwart's edge with an IPv6 address",
      edge({ wanAddress: "203.0.113.25", wanAddress6: "2001:db8::25" }),
    ],
    ["two edges of which one has IPv6", { ...edge({ wanAddress: "2001:db8::25" }) }],
  ])("an AAAA record while mail comes in by %s", async (_, one) => {
    expect(await ask(mx, a, aaaa, one)).toEqual(PASSED);
  });

  const v4 = publishing({ internal: 25, external: 25, ip: "203.0.113.25" });
  test.each([
    ["of the domain itself", route53(zone, "AAAA", "", ["2001:db8::80"])],
    ["of another host", route53(zone, "AAAA", "www", ["2001:db8::80"])],
    [
      "of the same name in another zone",
      route53(hostedZone("example.net"), "AAAA", "mail", ["2001:db8::80"]),
    ],
  ])("an AAAA record %s", async (_, record) => {
    expect(await ask(mx, a, record, v4)).toEqual(PASSED);
  });

  test("an AAAA record for some networks only", async () => {
    const inside = hostedZone("example.org", { vpcs: [{ vpcId: "vpc-1" }] });
    expect(await ask(inside, mx, a, route53(inside, "AAAA", "mail", ["fd00::25"]), v4)).toEqual(PASSED);
  });

  test.each([
    ["without an AAAA record", [mx, a, v4]],
    ["without an MX record", [a, aaaa, v4]],
    ["without records", [v4]],
  ])("a stack %s", async (_, resources) => {
    expect((await ask(...resources)).notApplicable).toBe("no MX and AAAA record is in the stack");
  });
});

describe("no-aaaa-without-v6-edge lists as not judged", () => {
  const noEdge =
    "records[0]: is of mail.example.org, an MX's host, and no edge in the stack tells whether it takes IPv6";
  test.each([
    ["no edge", container("web", { ports: [{ internal: 443, external: 443 }] })],
    ["a port for the host alone", publishing({ internal: 25, external: 25, ip: "127.0.0.1" })],
    ["another port", publishing({ internal: 25, external: 2525 })],
    ["a port that Docker chooses", publishing({ internal: 25 })],
    ["an unknown port", publishing({ internal: 25, external: UNKNOWN })],
    ["Caddy for the host alone", caddy("localhost:25")],
    ["Caddy on another port", caddy(":587")],
  ])("an AAAA record beside %s", async (_, one) => {
    expect(await ask(mx, a, aaaa, one)).toEqual({ violations: [], notJudged: [noEdge] });
  });

  test.each([
    ["a port on an unknown address", publishing({ internal: 25, external: 25, ip: UNKNOWN }), "ports[0]"],
    [
      "Caddy in a network of its own",
      caddy("tcp4/:25", { networkMode: "bridge" }),
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.smtp",
    ],
    ["Caddy by a command", command("203.0.113.25:25"), "stdin apps.layer4.servers.smtp"],
    [
      "Caddy on a name",
      caddy("edge.example.org:25"),
      "uploads[0].content (/etc/caddy/caddy.json) apps.layer4.servers.smtp",
    ],
    ["an edge whose address is unknown", edge({ wanAddress: UNKNOWN }), "wanAddress"],
    [
      "an edge whose IPv6 address is unknown",
      edge({ wanAddress: "203.0.113.25", wanAddress6: UNKNOWN }),
      "wanAddress",
    ],
  ])("an AAAA record beside %s", async (_, one, where) => {
    expect(await ask(mx, a, aaaa, one)).toEqual({
      violations: [],
      notJudged: [
        `records[0]: is of mail.example.org, an MX's host; whether edge (${where}) takes IPv6 is not known`,
      ],
    });
  });

  test.each([
    [
      "a host with another address than the edge's",
      [mx, route53(zone, "A", "mail", ["198.51.100.9"]), aaaa],
      { wanAddress: "203.0.113.25" },
    ],
    [
      "one of several hosts, none of which is known to be the edge",
      [mx, a, aaaa, route53(zone, "MX", "lists", ["10 mx2.example.org"])],
      { ip: "10.0.0.4" },
    ],
    [
      "one of several hosts without a known address",
      [mx, aaaa, route53(zone, "MX", "lists", ["10 mx2.example.org"])],
      { wanAddress: "203.0.113.25" },
    ],
  ])("an AAAA record of %s", async (_, records, { wanAddress, ip }: { wanAddress?: string; ip?: string }) => {
    const one =
      wanAddress === undefined ? publishing({ internal: 25, external: 25, ip }) : edge({ wanAddress });
    const where = wanAddress === undefined ? "ports[0]" : "wanAddress";
    expect(await ask(...records, one)).toEqual({
      violations: [],
      notJudged: [
        `records[0]: is of mail.example.org, an MX's host, and the stack does not tell whether that is edge (${where})`,
      ],
    });
  });

  test("an unknown MX's host, where the edge takes IPv4 alone and a name has an AAAA record", async () => {
    const open = route53(zone, "MX", "", [UNKNOWN]);
    expect(await ask(open, aaaa, publishing({ internal: 25, external: 25 }))).toEqual({
      violations: [],
      notJudged: ["records[0]: unknown until the update"],
    });
    expect(await ask(open, aaaa, caddy(":25"))).toEqual(PASSED);
    expect(await ask(open, aaaa)).toEqual(PASSED);
  });

  test("an unknown address", async () => {
    const outcome = await ask(mx, route53(zone, "AAAA", "mail", [UNKNOWN]), container("x", {}));
    expect(outcome).toEqual({ violations: [], notJudged: [noEdge] });
  });
});
