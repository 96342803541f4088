import { isTailnetV4, readingsV4, parseIPv6, tailnetV6, type Decoded } from "./addresses.ts";

/**
 * Finds and classifies addresses of tailnet nodes in any spelling. Pure: shared by components (zod)
 * and policies.
 *
 * A node's tailnet address changes when it registers again (lesson 6), so none may be written down.
 * Ranges (100.64.0.0/10, fd7a:115c:a1e0::/48) and MagicDNS's own resolver (100.100.100.100,
 * fd7a:115c:a1e0::53) are the same in every tailnet and are no node's address.
 */

/** How an address was written. */
export type AddressSpelling = "dotted" | "inet_aton" | "integer" | "ipv6" | "ipv4-in-ipv6";

export interface TailnetAddress {
  /**
   * The address alone, as it was written (an address is no secret; what stands around it may be).
   */
  match: string;
  /** Offset in the given text, in UTF-16 units. */
  index: number;
  spelling: AddressSpelling;
}

const ESCAPE =
  /\\u\{?([0-9a-f]{2,6})\}?|\\x([0-9a-f]{2})|%([0-9a-f]{2})|&#(\d{1,6});|&#x([0-9a-f]{1,5});|\\([^ux])|([^\0-\x7f])/giu;
const IGNORED_IN_HOSTS = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;

/**
 * Undoes one layer of JSON, shell, URL and HTML escapes and of Unicode's other digits and dots
 * (IDNA maps those).
 */
function unescapeOnce(input: Decoded): Decoded | undefined {
  if (!/[\\%&]|[^\0-\x7f]/.test(input.text)) return undefined;
  let text = "";
  const offsets: number[] = [];
  const push = (piece: string, from: number, verbatim: boolean): void => {
    for (let i = 0; i < piece.length; i++) {
      const at = verbatim ? from + i : from;
      offsets.push(input.offsets ? (input.offsets[at] ?? 0) : at);
    }
    text += piece;
  };
  let done = 0;
  for (const escape of input.text.matchAll(ESCAPE)) {
    push(input.text.slice(done, escape.index), done, true);
    const [whole, u, x, percent, decimal, htmlHex, simple, other] = escape;
    const code = u ?? x ?? percent ?? htmlHex;
    const point =
      code !== undefined ? Number.parseInt(code, 16) : decimal !== undefined ? Number(decimal) : undefined;
    let plain = simple !== undefined ? (/[nrtbfv0a]/.test(simple) ? "\n" : simple) : (other ?? whole);
    if (point !== undefined && point <= 0x10ffff) plain = String.fromCodePoint(point);
    plain = plain.replace(IGNORED_IN_HOSTS, "").replace(/[\u3002\uff61]/g, ".");
    push(/[^\0-\x7f]/.test(plain) ? plain.normalize("NFKC") : plain, escape.index, false);
    done = escape.index + whole.length;
  }
  push(input.text.slice(done), done, true);
  return text === input.text ? undefined : { text, offsets };
}

// {0,4}: an unbounded run would be quadratic on long hexadecimal text; what stands before is seen
// as glued to a label.
const V6_RUN = /(?:[0-9a-f]{0,4}:){2,}[0-9a-f.:]*/gi;
// After a one-letter option too: psql -h100.64.0.1
const V4_RUN = /(?:(?<![\w.])|(?<=(?:^|[\s"',])-[a-z]))(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*/gi;
const OWN_V6 = /(?<!\w)fd7a:115c:a1e0:[0-9a-f:.]*/gi;

/**
 * True when what follows an address makes it a range (prefix shorter than the whole, no host bits
 * set).
 */
function isRange(after: string, width: 32 | 128, hostBits: (prefix: number) => boolean): boolean {
  const prefix = /^\/(\d{1,3})(?![\w])/.exec(after)?.[1];
  return prefix !== undefined && Number(prefix) < width && !hostBits(Number(prefix));
}

/**
 * Where only a host can stand: a bare number there is an address, elsewhere it is just a number.
 */
function isHostPosition(before: string, after: string): boolean {
  if (/^\s*["']?$/.test(before) && /^["']?\s*$/.test(after)) return true;
  if (/:\/\/(?:[^\s/?#@"']*@)?$/.test(before) && /^(?:[:/?#"'\s\\<>),;\]}]|$)/.test(after)) return true;
  if (/\/dev\/(?:tcp|udp)\/$/.test(before) && /^\/\d/.test(after)) return true;
  if (/(?:^|[\s"'=,;(\[{<>|&/])$/.test(before) && /^:\d{1,5}(?![\w.:])/.test(after)) return true;
  const command =
    /(?:^|[\s;|&("'`])(?:nc|ncat|netcat|ping6?|ssh|telnet|curl|wget|pg_isready|psql|swaks)\s[^\n;|&]*$/.test(
      before,
    );
  return command && /[\s=]["']?$/.test(before) && /^["']?(?:\s|$|["'`;|&)])/.test(after);
}

function scanV6(text: string, found: TailnetAddress[]): string {
  let rest = text;
  const take = (index: number, match: string, spelling?: AddressSpelling): void => {
    if (spelling) found.push({ match, index, spelling });
    rest = rest.slice(0, index) + " ".repeat(match.length) + rest.slice(index + match.length);
  };
  const judge = (index: number, literal: string): boolean => {
    const groups = parseIPv6(literal);
    if (groups === undefined) return false;
    const range = isRange(text.slice(index + literal.length, index + literal.length + 5), 128, (prefix) =>
      groups.some((group, i) => (group & (0xffff >> Math.min(16, Math.max(0, prefix - 16 * i)))) !== 0),
    );
    take(index, literal, range ? undefined : tailnetV6(groups));
    return true;
  };
  // The prefix is forty random bits: wherever it stands it is meant, also right after a label
  // ("db:fd7a:…").
  for (const run of text.matchAll(OWN_V6)) {
    const literal = run[0].replace(/\.+$/, "");
    const groups = literal.split(":");
    const tries = [literal, literal.replace(/([^:]):$/, "$1"), groups.slice(0, 8).join(":")];
    tries.find((candidate) => judge(run.index, candidate));
  }
  for (const run of rest.matchAll(V6_RUN)) {
    const whole = run[0].replace(/\.+$/, "");
    const glued = /\w/.test(text[run.index - 1] ?? "");
    const afterLabel = whole.indexOf(":") + 1;
    if (glued || !judge(run.index, whole)) judge(run.index + afterLabel, whole.slice(afterLabel));
  }
  return rest;
}

function scanV4(text: string, found: TailnetAddress[]): void {
  for (const run of text.matchAll(V4_RUN)) {
    const match = run[0];
    const readings = readingsV4(match);
    if (!readings.some(isTailnetV4)) continue;
    const before = text.slice(Math.max(0, run.index - 200), run.index);
    const after = text.slice(run.index + match.length, run.index + match.length + 40);
    const inUrl = /:\/\/(?:[^\s/?#@"']*@)?$/.test(before);
    if (/^(?:\.?[\w]|\.[\w-])/.test(after)) continue; // part of a longer name or number
    const range = isRange(after, 32, (prefix) => readings.every((value) => value % 2 ** (32 - prefix) !== 0));
    const fromTo =
      match === "100.64.0.0"
        ? /^\s*-\s*100\.127\.255\.255(?!\w)/.test(after)
        : /(?<!\w)100\.64\.0\.0\s*-\s*$/.test(before);
    if (
      !inUrl &&
      (range || /^\/255\.192\.0\.0/.test(after) || (fromTo && /\.0\.0$|^100\.127\.255\.255$/.test(match)))
    )
      continue;
    const whole = match.split(".").length === 4;
    if (!whole && !isHostPosition(before, after)) continue;
    const spelling =
      /^\d+$/.test(match) && !match.startsWith("0")
        ? "integer"
        : /(^|\.)0[\dx]/i.test(match) || !whole
          ? "inet_aton"
          : "dotted";
    found.push({ match, index: run.index, spelling });
  }
}

/**
 * Every address of one tailnet node in free text: dotted, with port, in a URL, IPv4-mapped,
 * decimal, octal, hexadecimal, inside JSON and other escapes. A number without four dotted parts
 * counts only where a host stands (URL, host:port, /dev/tcp, a network command's word, or the whole
 * text), so that version numbers and sizes are left alone.
 *
 * @returns the addresses in the order of the text; empty when there is none
 * @example findTailnetAddresses("dial tcp/100.101.102.103:25")
 * // [{ match: "100.101.102.103", index: 9, spelling: "dotted" }]
 */
export function findTailnetAddresses(text: string): TailnetAddress[] {
  const found = new Map<string, TailnetAddress>();
  if (!/[\d:\uff10-\uff19]/.test(text)) return [];
  let layer: Decoded | undefined = { text };
  for (let depth = 0; layer !== undefined && depth < 4; depth++) {
    const here: TailnetAddress[] = [];
    scanV4(scanV6(layer.text, here), here);
    for (const address of here) {
      const index = layer.offsets ? (layer.offsets[address.index] ?? 0) : address.index;
      const key = `${index} ${address.match}`;
      if (!found.has(key)) found.set(key, { ...address, index });
    }
    layer = unescapeOnce(layer);
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}
