import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { findTailnetAddresses } from "../../../../lib/tailnet-addresses.ts";
import { classifyHost } from "../../../../lib/addresses.ts";
import { noHardcodedTailnetIp } from "../../../../policies/rules/no-hardcoded-tailnet-ip.ts";
import { runPolicy, type Outcome } from "../../../policy/harness.ts";

/** TAILWART_PROPERTY_RUNS: cases per property; `npm run test:full` sets 10000. */
const runs = Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 500);
const options = { numRuns: runs };
const MINUTES = 60_000;

const CGNAT: [ipaddr.IPv4, number] = [ipaddr.IPv4.parse("100.64.0.0"), 10];
const NO_NODE = [
  "100.100.100.100/32",
  "100.115.92.0/23",
  "100.100.2.136/32",
  "100.100.2.138/32",
  "100.100.100.200/32",
];
const isNoNode = (address: ipaddr.IPv4) =>
  NO_NODE.some((range) => address.match(ipaddr.IPv4.parseCIDR(range)));
const ULA: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("fd7a:115c:a1e0::"), 48];
/** fd7a:115c:a1e0:b1a::/64, of an address that is in the tailnet's range. */
const is4via6 = (address: ipaddr.IPv4 | ipaddr.IPv6) => (address as ipaddr.IPv6).parts[3] === 0xb1a;

/** What an independent library says of an address, in the terms of design.md. */
function isNode(text: string): boolean {
  const address = ipaddr.process(text); // process() unwraps IPv4-mapped addresses
  if (address.kind() === "ipv4")
    return (address as ipaddr.IPv4).match(CGNAT) && !isNoNode(address as ipaddr.IPv4);
  return (
    (address as ipaddr.IPv6).match(ULA) && address.toString() !== "fd7a:115c:a1e0::53" && !is4via6(address)
  );
}

/** IPv4-compatible (::/96) and NAT64 (64:ff9b::/96) addresses, which ipaddr.js does not unwrap. */
function embedsV4(text: string): boolean {
  const [a, b, ...rest] = ipaddr.IPv6.parse(text).parts;
  return (
    ((a === 0 && b === 0) || (a === 0x64 && b === 0xff9b)) && rest.slice(0, 4).every((part) => part === 0)
  );
}

const dotted = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join(".");
const nodeV4 = fc
  .integer({ min: 0x64400000, max: 0x647fffff })
  .filter((n) => !isNoNode(ipaddr.IPv4.parse(dotted(n))));
const otherV4 = fc
  .oneof(
    fc.nat({ max: 0xffffffff }),
    fc.integer({ min: 0x64000000, max: 0x643fffff }),
    fc.integer({ min: 0x64800000, max: 0x64ffffff }),
    fc.constant(0x64646464),
  )
  .filter((n) => !isNode(dotted(n)));

const octal = (n: number): string => `0${n.toString(8)}`;
const hex = (n: number): string => `0x${n.toString(16)}`;
const parts = (n: number): number[] => dotted(n).split(".").map(Number);
/**
 * Spellings that inet_aton takes; the first group may stand anywhere, the second only where a host
 * stands.
 */
const anywhere: ((n: number) => string)[] = [
  dotted,
  (n) => parts(n).map(octal).join("."),
  (n) => parts(n).map(hex).join("."),
  (n) =>
    parts(n)
      .map((part, i) => (i % 2 ? part : hex(part)))
      .join("."),
  (n) => `::ffff:${dotted(n)}`,
  (n) => `::FFFF:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`,
  (n) => `0:0:0:0:0:ffff:${(n >>> 16).toString(16).padStart(4, "0")}:${(n & 0xffff).toString(16)}`,
];
const asHost: ((n: number) => string)[] = [
  ...anywhere.slice(0, 4),
  String,
  octal,
  hex,
  (n) => `${n >>> 24}.${n & 0xffffff}`,
  (n) => `${n >>> 24}.${(n >>> 16) & 255}.${n & 0xffff}`,
];
const around: ((address: string) => string)[] = [
  (a) => a,
  (a) => `RELAY=${a}`,
  (a) => `see ${a}.`,
  (a) => `(${a}), then`,
  (a) => JSON.stringify({ upstreams: [{ dial: [a] }] }),
  (a) => JSON.stringify(JSON.stringify({ note: `first\n${a}\n` })),
  (a) => `# Caddyfile\nreverse_proxy ${a}\n`,
  (a) => `host = "${a}"\nport = 25`,
];
const aroundHost: ((host: string) => string)[] = [
  (h) => h,
  (h) => `http://${h}`,
  (h) => `smtp://user:secret@${h}:587/`,
  (h) => `relay=${h}:25`,
  (h) => JSON.stringify({ dial: `${h}:25` }),
  (h) => `exec 3<>/dev/tcp/${h}/5432`,
];

const groups = fc.array(fc.nat({ max: 0xffff }), { minLength: 5, maxLength: 5 });
const v6Spellings: ((address: ipaddr.IPv6) => string)[] = [
  (a) => a.toString(),
  (a) => a.toNormalizedString(),
  (a) => a.parts.map((part) => part.toString(16).padStart(4, "0")).join(":"),
  (a) => a.toRFC5952String().toUpperCase(),
];
const aroundV6: ((a: string) => string)[] = [
  (a) => a,
  (a) => `[${a}]:25`,
  (a) => `http://[${a}]/x`,
  (a) => `${a}%tailscale0`,
  (a) => `${a}/128`,
  (a) => `-4 "${a}" x`,
  (a) => JSON.stringify({ hosts: { db: a } }),
];
/** IPv4-mapped spellings, which stand where an IPv6 address stands. */
const mappedV4 = anywhere.slice(4);

/** A file as it is uploaded into a container, with a host somewhere in it. */
const files: ((host: string) => { file: string; content: string })[] = [
  (h) => ({
    file: "/etc/caddy/caddy.json",
    content: JSON.stringify({ apps: { a: [{ dial: [`${h}:25`] }] } }),
  }),
  (h) => ({ file: "/etc/app.json", content: JSON.stringify({ upstream: { host: h, port: 25 } }, null, 2) }),
  (h) => ({
    file: "/etc/app.json",
    content: JSON.stringify({ inner: JSON.stringify({ url: `http://${h}/x` }) }),
  }),
  (h) => ({ file: "/etc/acl.hujson", content: `// mine\n{ "hosts": { "db": "${h}", }, }\n` }),
  (h) => ({
    file: "/etc/stalwart/config.toml",
    content: `[store.pg]\ntype = "x"\nhost = "${h}"\nport = 5432\n`,
  }),
  (h) => ({ file: "/etc/caddy/Caddyfile", content: `# edge\nexample.org {\n\treverse_proxy ${h}:8080\n}\n` }),
  (h) => ({ file: "/app/.env", content: `LANG=C\nDATABASE_URL=postgres://app:secret@${h}:5432/app\n` }),
  (h) => ({ file: "/start.sh", content: `#!/bin/sh\nnc -z -w 3 ${h} 5432 && exec app\n` }),
];

/** What the policy says of a container that the file is uploaded into. */
function judgeUpload(
  { file, content }: { file: string; content: string },
  base64: boolean,
): Promise<Outcome> {
  const text = base64 ? { contentBase64: Buffer.from(content).toString("base64") } : { content };
  const type = "docker:index/container:Container";
  return runPolicy(noHardcodedTailnetIp, { type, props: { uploads: [{ file, ...text }] } });
}

const from = <T>(list: T[]): fc.Arbitrary<T> => fc.constantFrom(...list);

describe(`over ${runs} random cases each, against ipaddr.js`, () => {
  test("no spelling of a 100.64.0.0/10 host passes, wherever it stands", () => {
    fc.assert(
      fc.property(nodeV4, from(anywhere), from(around), (n, spell, embed) => {
        expect(isNode(spell(n))).toBe(true);
        expect(findTailnetAddresses(embed(spell(n))).length).toBeGreaterThan(0);
      }),
      options,
    );
  });

  test("no spelling of a 100.64.0.0/10 host passes where a host stands", () => {
    fc.assert(
      fc.property(nodeV4, from(asHost), from(aroundHost), (n, spell, embed) => {
        expect(isNode(spell(n))).toBe(true);
        expect(findTailnetAddresses(embed(spell(n))).map((address) => address.match)).toEqual([spell(n)]);
        expect(classifyHost(spell(n))).toBe("tailnet-ipv4");
      }),
      options,
    );
  });

  test("no spelling of a 100.64.0.0/10 host passes in an upload", { timeout: 5 * MINUTES }, async () => {
    const spelled = fc.oneof(
      fc.tuple(nodeV4, from(asHost)).map(([n, spell]) => ({ host: spell(n), address: spell(n) })),
      fc.tuple(nodeV4, from(mappedV4)).map(([n, spell]) => ({ host: `[${spell(n)}]`, address: spell(n) })),
    );
    await fc.assert(
      fc.asyncProperty(spelled, from(files), fc.boolean(), async ({ host, address }, write, base64) => {
        expect(isNode(address)).toBe(true);
        const { violations, notJudged, blind } = await judgeUpload(write(host), base64);
        expect({ blind, notJudged }).toEqual({ notJudged: [] });
        expect(violations).toEqual([
          expect.stringContaining(` holds ${address}, the address of one tailnet node.`),
        ]);
      }),
      options,
    );
  });

  test("no other address is refused in an upload", { timeout: 5 * MINUTES }, async () => {
    const spelled = fc.oneof(
      fc.tuple(otherV4, from(asHost)).map(([n, spell]) => spell(n)),
      fc.tuple(otherV4, from(mappedV4)).map(([n, spell]) => `[${spell(n)}]`),
      fc
        .ipV6()
        .filter((address) => !isNode(address) && !embedsV4(address))
        .map((address) => `[${address}]`),
    );
    await fc.assert(
      fc.asyncProperty(spelled, from(files), fc.boolean(), async (host, write, base64) => {
        expect(await judgeUpload(write(host), base64)).toEqual({ violations: [], notJudged: [] });
      }),
      options,
    );
  });

  test("no IPv4-mapped spelling of a 100.64.0.0/10 host passes where an IPv6 address stands", () => {
    fc.assert(
      fc.property(nodeV4, from(mappedV4), from(aroundV6), (n, spell, embed) => {
        expect(isNode(spell(n))).toBe(true);
        expect(findTailnetAddresses(embed(spell(n))).map((address) => address.match)).toEqual([spell(n)]);
        expect(classifyHost(spell(n))).toBe("tailnet-ipv6");
      }),
      options,
    );
  });

  test("no other IPv4 address is refused, in any spelling", () => {
    fc.assert(
      fc.property(otherV4, from(asHost), from(aroundHost), (n, spell, embed) => {
        expect(isNode(spell(n))).toBe(false);
        expect(findTailnetAddresses(embed(spell(n)))).toEqual([]);
        expect(classifyHost(spell(n))).toBe("ipv4");
      }),
      options,
    );
    fc.assert(
      fc.property(otherV4, from(anywhere), from(around), (n, spell, embed) => {
        expect(findTailnetAddresses(embed(spell(n)))).toEqual([]);
      }),
      options,
    );
  });

  test("no spelling of an fd7a:115c:a1e0::/48 host passes", () => {
    fc.assert(
      fc.property(groups, from(v6Spellings), from(aroundV6), (tail, spell, embed) => {
        const address = new ipaddr.IPv6([0xfd7a, 0x115c, 0xa1e0, ...tail]);
        fc.pre(isNode(address.toString()));
        expect(findTailnetAddresses(embed(spell(address))).length).toBeGreaterThan(0);
        expect(classifyHost(spell(address))).toBe("tailnet-ipv6");
      }),
      options,
    );
  });

  test("no other IPv6 address is refused", () => {
    const any = fc.array(fc.nat({ max: 0xffff }), { minLength: 8, maxLength: 8 });
    const close = groups.map((tail) => [0xfd7a, 0x115c, 0xa1e1, ...tail]);
    const mapped = otherV4.map((n) => [0, 0, 0, 0, 0, 0xffff, n >>> 16, n & 0xffff]);
    fc.assert(
      fc.property(fc.oneof(any, close, mapped), from(v6Spellings), from(aroundV6), (all, spell, embed) => {
        const address = new ipaddr.IPv6(all);
        fc.pre(!isNode(address.toString()));
        expect(findTailnetAddresses(embed(spell(address)))).toEqual([]);
        expect(classifyHost(spell(address))).toBe("ipv6");
      }),
      options,
    );
  });

  test("whatever classifyHost calls an address, ipaddr.js can read, and the other way round", () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(host, (text) => {
        const kind = classifyHost(text);
        expect(kind === "name" ? "name" : kind.endsWith("6") ? "ipv6" : "ipv4").toBe(
          ipaddr.isValid(text) ? ipaddr.parse(text).kind() : "name",
        );
      }),
      options,
    );
  });
});
