import type { Violation } from "./violation.ts";

// Lesson 17: an AAAA record of the mail host before the edge listens on IPv6.
export default {
  program: `
    const record = (name, args) => dnsRecord("cloudflare:index/dnsRecord:DnsRecord", name, { zoneId: "023e105f4ecef8ad9ca31a8372d0c353", ...args });
    record("mx", { type: "MX", name: "example.org", content: "mail.example.org", priority: 10 });
    record("mail", { type: "A", name: "mail.example.org", content: "203.0.113.25" });
    record("mail-v6", { type: "AAAA", name: "mail.example.org", content: "2001:db8::25" });
    container("edge", { ports: [{ internal: 25, external: 25, ip: "203.0.113.25" }] });`,
  expected: [
    "content gives mail.example.org, to which the MX record mx points, an IPv6 address, while edge (ports[0]) takes mail over IPv4 alone.",
    /why: a sender that has IPv6 tries the AAAA first/,
    /instead: no AAAA record of this name until the edge listens on IPv6/,
  ],
} satisfies Violation;
