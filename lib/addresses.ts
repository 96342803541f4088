export type HostClass = "ipv4" | "ipv6" | "tailnet-ipv4" | "tailnet-ipv6" | "name" | "invalid";

/** First and last address of what lies in 100.64.0.0/10 and is no node, as numbers. */
const NO_NODE_V4: readonly (readonly [number, number])[] = [
  [0x64646464, 0x64646464], // 100.100.100.100, MagicDNS's resolver
  [0x64735c00, 0x64735dff], // 100.115.92.0/23, ChromeOS' own (tailscale net/tsaddr/tsaddr.go)
  // Alibaba Cloud's resolvers and metadata service (tailscale/tailscale#1381)
  [0x64640288, 0x64640288],
  [0x6464028a, 0x6464028a],
  [0x646464c8, 0x646464c8],
];
const MAGIC_DNS_V6 = "fd7a:115c:a1e0:0:0:0:0:53";

/** True for what a node can have of 100.64.0.0/10. `value`: the address as an unsigned number. */
export function isTailnetV4(value: number): boolean {
  const isReserved = NO_NODE_V4.some(([first, last]) => value >= first && value <= last);
  return value >= 0x64400000 && value <= 0x647fffff && !isReserved;
}

function parsePart(part: string): number | undefined {
  if (/^0x[0-9a-f]*$/i.test(part)) return part.length === 2 ? 0 : Number.parseInt(part, 16);
  if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
  return /^[1-9][0-9]*$/.test(part) ? Number(part) : undefined;
}

/**
 * What the C library's inet_aton makes of 1 to 4 parts, each decimal, octal (0…) or hexadecimal
 * (0x…).
 */
function parseInetAton(text: string): number | undefined {
  const parts = text.split(".").map(parsePart);
  if (parts.length > 4) return undefined;
  let value = 0;
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    const limit = last ? 256 ** (5 - parts.length) : 256;
    if (part === undefined || part >= limit) return undefined;
    value += last ? part : part * 256 ** (3 - i);
  }
  return value;
}

/**
 * Every reading of an IPv4 literal. "100.064.000.001" is octal to the C library and decimal to
 * older parsers: what is meant cannot be told, so both readings count.
 */
export function readingsV4(text: string): number[] {
  const readings = [parseInetAton(text)];
  if (/^100(\.\d{1,3}){3}$/.test(text) && /\.0\d/.test(text)) {
    readings.push(parseInetAton(text.replace(/\.0+(?=\d)/g, ".")));
  }
  return readings.filter((value) => value !== undefined);
}

/**
 * The eight 16-bit groups of an IPv6 literal without brackets or zone, or undefined when it is
 * none.
 */
export function parseIPv6(text: string): number[] | undefined {
  let body = text.toLowerCase();
  const dotted = /^(.*:)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/.exec(body);
  if (dotted) {
    const v4 = parseInetAton(dotted[2] ?? "");
    if (v4 === undefined) return undefined;
    body = `${dotted[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  if (!/^[0-9a-f:]+$/.test(body)) return undefined;
  const halves = body.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail] = groups;
  if (tail === undefined ? head.length !== 8 : head.length + tail.length > 7) return undefined;
  const zeros = new Array<string>(8 - head.length - (tail?.length ?? 0)).fill("0");
  const all = [...head, ...zeros, ...(tail ?? [])];
  return all.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined;
}

/**
 * The IPv4 address inside an IPv4-mapped (::ffff:0:0/96), IPv4-compatible (::/96) or NAT64
 * (64:ff9b::/96) address.
 */
function embeddedV4(groups: number[]): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, high = 0, low = 0] = groups;
  const middleIsZero = c === 0 && d === 0 && e === 0;
  const embeds =
    middleIsZero &&
    ((a === 0 && b === 0 && (f === 0xffff || f === 0)) || (a === 0x64 && b === 0xff9b && f === 0));
  return embeds ? high * 0x10000 + low : undefined;
}

export function tailnetV6(groups: number[]): "ipv6" | "ipv4-in-ipv6" | undefined {
  const v4 = embeddedV4(groups);
  if (v4 !== undefined && isTailnetV4(v4)) return "ipv4-in-ipv6";
  const own = groups[0] === 0xfd7a && groups[1] === 0x115c && groups[2] === 0xa1e0;
  // fd7a:115c:a1e0:b1a::/64 is 4via6: worked out of a site's number and an IPv4 address, so that it
  // stays (tailscale net/tsaddr/tsaddr.go, TailscaleViaRange).
  if (!own || groups[3] === 0xb1a) return undefined;
  return groups.map((group) => group.toString(16)).join(":") === MAGIC_DNS_V6 ? undefined : "ipv6";
}

/**
 * What kind of host a config value names.
 *
 * @param host a name, an IPv4 literal in any spelling inet_aton takes, or an IPv6 literal with or
 *   without brackets and zone; no port
 * @returns "tailnet-…" for an address that only one tailnet node can have; MagicDNS's own resolver
 *   is plain "ipv4"/"ipv6"; "name" for an ASCII host name of RFC 1123 (IDN as A-labels), final dot
 *   allowed; else "invalid"
 * @example
 * classifyHost("mailbox.tail1234.ts.net") === "name"; classifyHost("[::ffff:100.64.0.9]") ===
 *   "tailnet-ipv6"
 */
export function classifyHost(host: string): HostClass {
  const literal = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  if (literal.includes(":")) {
    const groups = parseIPv6(literal.replace(/%[\w.-]+$/, ""));
    return groups === undefined ? "invalid" : tailnetV6(groups) ? "tailnet-ipv6" : "ipv6";
  }
  if (literal !== host) return "invalid";
  const labels = host.replace(/\.$/, "").split(".");
  // A host whose last label is a number is an IPv4 address or nothing (WHATWG URL, "ends in a
  // number").
  if (/^(0x[0-9a-f]*|[0-9]+)$/i.test(labels.at(-1) ?? "")) {
    const readings = readingsV4(labels.join("."));
    return readings.length === 0 ? "invalid" : readings.some(isTailnetV4) ? "tailnet-ipv4" : "ipv4";
  }
  const valid = host.length <= 253 && labels.every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i.test(label));
  return valid ? "name" : "invalid";
}

/**
 * True for a name that MagicDNS answers: one label, or one label below the tailnet's domain.
 *
 * @param tailnetDomain such as "tail7b1641.ts.net"
 * @example isMagicDnsName("mailbox.tail7b1641.ts.net.", "tail7b1641.ts.net") === true
 */
export function isMagicDnsName(name: string, tailnetDomain: string): boolean {
  if (classifyHost(name) !== "name") return false;
  const bare = name.toLowerCase().replace(/\.$/, "");
  const domain = tailnetDomain.toLowerCase().replace(/^\.|\.$/g, "");
  return (
    !bare.includes(".") || (bare.endsWith(`.${domain}`) && !bare.slice(0, -domain.length - 1).includes("."))
  );
}

export interface Decoded {
  text: string;
  /**
   * offsets[i] = where the i-th unit of `text` begins in the original; none while nothing was
   * undone.
   */
  offsets?: number[];
}
