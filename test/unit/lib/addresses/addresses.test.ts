import { describe, expect, test } from "vitest";
import { findTailnetAddresses } from "../../../../lib/tailnet-addresses.ts";
import { classifyHost, isMagicDnsName } from "../../../../lib/addresses.ts";

const matches = (text: string): string[] => findTailnetAddresses(text).map((address) => address.match);

describe("findTailnetAddresses finds a node's address", () => {
  test.each([
    ["alone", "100.64.0.1", "100.64.0.1"],
    ["in an assignment with a port", "DB=100.101.102.103:5432", "100.101.102.103"],
    ["in a URL with user and path", "postgres://u:p@100.127.255.254/db", "100.127.255.254"],
    ["in a URL whose path looks like a prefix length", "http://100.64.0.1/10", "100.64.0.1"],
    ["at the end of a sentence", "It was 100.79.87.80.", "100.79.87.80"],
    ["as a route to one host", "100.64.0.7/32", "100.64.0.7"],
    ["as an interface address with the range's length", "100.64.0.7/10", "100.64.0.7"],
    ["after a network name of Caddy", "tcp/100.64.0.7:25", "100.64.0.7"],
    ["after a one-letter option", "psql -h100.64.0.7", "100.64.0.7"],
    ["between a published port and its target", "100.64.0.7:25:25", "100.64.0.7"],
    ["as a bracketed IPv6 literal", "[fd7a:115c:a1e0::1]:25", "fd7a:115c:a1e0::1"],
    ["in capitals and with a zone", "FD7A:115C:A1E0:AB12::1%tailscale0", "FD7A:115C:A1E0:AB12::1"],
    ["after SPF's mechanism", "v=spf1 ip6:fd7a:115c:a1e0::1 -all", "fd7a:115c:a1e0::1"],
    ["after a host name that looks hexadecimal", "db:fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"],
    ["as nine groups, the last a port", "fd7a:115c:a1e0:0:0:0:0:1:25", "fd7a:115c:a1e0:0:0:0:0:1"],
    ["IPv4-mapped, dotted", "::ffff:100.64.0.1", "::ffff:100.64.0.1"],
    ["IPv4-mapped, hexadecimal", "[::ffff:6440:1]:25", "::ffff:6440:1"],
    ["through NAT64", "64:ff9b::6440:1", "64:ff9b::6440:1"],
    ["decimal, as the whole value", "1681915905", "1681915905"],
    ["decimal, in a URL", "http://1681915905/x", "1681915905"],
    ["decimal, before a port", "relay 1681915905:25", "1681915905"],
    ["decimal, in bash's /dev/tcp", "echo > /dev/tcp/1681915905/5432", "1681915905"],
    ["decimal, as a word of nc", "nc -z -w 3 1681915905 5432", "1681915905"],
    ["hexadecimal, before a port", "to=0x64400001:25", "0x64400001"],
    ["octal parts", "0144.0100.0.01", "0144.0100.0.01"],
    ["three parts in a URL", "http://100.64.1/", "100.64.1"],
    ["padded with zeros, whose reading cannot be told", "100.064.000.001", "100.064.000.001"],
    ["in escaped JSON", '{\\"dial\\":\\"100.64.0.1:25\\"}', "100.64.0.1"],
    ["right after an escaped newline", "host\\n100.64.0.1\\n", "100.64.0.1"],
    ["right after a doubly escaped newline", "host\\\\n100.64.0.1", "100.64.0.1"],
    ["in \\u escapes", "\\u0031\\u0030\\u0030.64.0.1", "100.64.0.1"],
    ["percent-encoded", "http:%2F%2F100%2e64%2e0%2e1", "100.64.0.1"],
    ["in full-width digits", "１００．６４．０．１", "100.64.0.1"],
    ["with invisible characters inside", "100\u200b.64\u00ad.0.1", "100.64.0.1"],
  ])("%s", (_, text, match) => {
    expect(matches(text)).toEqual([match]);
  });

  test("at its place in the text, several in order", () => {
    const found = findTailnetAddresses('a "100.64.0.1" b [fd7a:115c:a1e0::9] c');
    expect(found).toEqual([
      { match: "100.64.0.1", index: 3, spelling: "dotted" },
      { match: "fd7a:115c:a1e0::9", index: 18, spelling: "ipv6" },
    ]);
  });
});

describe("findTailnetAddresses leaves alone", () => {
  test.each([
    ["the IPv4 range", "100.64.0.0/10"],
    ["the IPv4 range as a grant's target with ports", "100.64.0.0/10:*"],
    ["a range inside it", "100.81.0.0/16"],
    ["the range with a netmask", "100.64.0.0/255.192.0.0"],
    ["the range from first to last", "100.64.0.0-100.127.255.255"],
    ["the IPv6 range", "fd7a:115c:a1e0::/48"],
    ["MagicDNS's resolver", "nameserver 100.100.100.100"],
    ["ChromeOS' own range, its first address", "100.115.92.0"],
    ["ChromeOS' own range, its last address", "ssh root@100.115.93.255"],
    ["Alibaba's resolvers", "nameserver 100.100.2.136\nnameserver 100.100.2.138"],
    ["Alibaba's metadata service", "http://100.100.100.200/latest/meta-data/"],
    ["Alibaba's metadata service as a number", "http://1684301000/"],
    ["a 4via6 address", "fd7a:115c:a1e0:b1a:0:3:a01:209"],
    ["a 4via6 address in brackets", "http://[fd7a:115c:a1e0:b1a::7:a00:1]:5432"],
    ["MagicDNS's resolver as a URL", "http://100.100.100.100:53/"],
    ["MagicDNS's resolver, IPv4-mapped", "::ffff:100.100.100.100"],
    ["MagicDNS's IPv6 resolver", "[fd7a:115c:a1e0::53]:53"],
    ["another range that begins with 100", "100.0.0.0/10"],
    ["the address below and the one above", "100.63.255.255 100.128.0.0"],
    ["a longer dotted number", "1.100.64.0.2 and 100.64.0.2.1"],
    ["a dotted number whose tail would fit", "1.100.64.2"],
    ["a version", "v100.64.0.1"],
    ["a name that begins with it", "100.64.0.1.example.org"],
    ["its reverse name", "1.0.64.100.in-addr.arpa"],
    ["a short version number in a text", "needs 100.64.1 or newer"],
    ["a number in a text", "took 1681915905 ns, id 0x64400001"],
    ["another IPv6 address with a dotted tail", "2001:db8::100.64.0.1"],
    ["another IPv6 address", "fd7a:115c:a1e1::1"],
    ["a clock time", "12:34:56"],
  ])("%s", (_, text) => {
    expect(matches(text)).toEqual([]);
  });

  test("a megabyte of hexadecimal digits, in well under a second", () => {
    const started = performance.now();
    expect(matches(`${"0123456789abcdef".repeat(65_536)}${":".repeat(2)}`)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("classifyHost", () => {
  test.each([
    ["203.0.113.20", "ipv4"],
    ["100.100.100.100", "ipv4"],
    ["100.115.91.255", "tailnet-ipv4"],
    ["100.115.92.1", "ipv4"],
    ["100.115.94.0", "tailnet-ipv4"],
    ["100.100.2.137", "tailnet-ipv4"],
    ["fd7a:115c:a1e0:b1a::1", "ipv6"],
    ["fd7a:115c:a1e0:b1b::1", "tailnet-ipv6"],
    ["100.101.102.103", "tailnet-ipv4"],
    ["1681915905", "tailnet-ipv4"],
    ["0144.0100.0.1", "tailnet-ipv4"],
    ["2001:db8::1", "ipv6"],
    ["[2001:db8::1]", "ipv6"],
    ["fd7a:115c:a1e0::7", "tailnet-ipv6"],
    ["[::ffff:100.64.0.1]", "tailnet-ipv6"],
    ["mailbox", "name"],
    ["mailbox.tail7b1641.ts.net.", "name"],
    ["xn--bcher-kva.example", "name"],
    ["256.1.1.1", "invalid"],
    ["1.2.3.4.5", "invalid"],
    ["[203.0.113.20]", "invalid"],
    ["2001:db8::1::2", "invalid"],
    ["-mail.example.org", "invalid"],
    ["mail_box", "invalid"],
    ["mail.example.org:587", "invalid"],
    ["", "invalid"],
    [`${"a".repeat(64)}.example.org`, "invalid"],
  ])("%s is %s", (host, kind) => {
    expect(classifyHost(host)).toBe(kind);
  });
});

describe("isMagicDnsName", () => {
  test.each([
    ["mailbox", true],
    ["mailbox.tail.test", true],
    ["MAILBOX.Tail.Test.", true],
    ["a.mailbox.tail.test", false],
    ["tail.test", false],
    ["mailbox.tail.test.example.org", false],
    ["mailboxtail.test", false],
    ["100.64.0.1", false],
  ])("%s: %s", (name, expected) => {
    expect(isMagicDnsName(name, "tail.test")).toBe(expected);
  });
});
