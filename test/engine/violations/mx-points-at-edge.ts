import type { Violation } from "./violation.ts";

// An address in place of a name, and a CNAME.
export default {
  program: `
    const cloudflare = (name, args) => dnsRecord("cloudflare:index/dnsRecord:DnsRecord", name, { zoneId: "023e105f4ecef8ad9ca31a8372d0c353", ...args });
    cloudflare("mx", { type: "MX", name: "example.org", content: "mail.example.org", priority: 10 });
    cloudflare("mail", { type: "CNAME", name: "mail.example.org", content: "edge.example.net" });
    dnsRecord("digitalocean:index/dnsRecord:DnsRecord", "address", { domain: "example.com", type: "MX", name: "@", value: "203.0.113.25", priority: 10 });`,
  expected: [
    "content is mail.example.org, a CNAME (mail), and an MX record names a host by its own name",
    "value is 203.0.113.25, an address, and an MX record takes a name.",
    /why: a sender looks the addresses of an MX's host up/,
    /instead: the edge's name/,
  ],
} satisfies Violation;
