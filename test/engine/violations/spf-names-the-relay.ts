import type { Violation } from "./violation.ts";

// `mx`, as Stalwart advises, where mail leaves through a relay; and a relay's tailnet address.
export default {
  program: `
    component("MailDns", "mail-dns", { domains: ["example.org"], selectors: [], servers: [], egress: ["192.0.2.25"] });
    dnsRecord("tailwart:dns:RecordSet", "records", { records: {
      "example.org MX": ["10 mail.example.org."],
      "mail.example.org A": ["203.0.113.25"],
      "example.org TXT": ["v=spf1 mx -all"],
    } });
    dnsRecord("digitalocean:index/dnsRecord:DnsRecord", "spf", { domain: "example.com", type: "TXT", name: "@", value: "v=spf1 ip4:100.101.102.103 -all" });
    dnsRecord("digitalocean:index/dnsRecord:DnsRecord", "late", { domain: "example.net", type: "TXT", name: "@", value: "v=spf1 ~all ip4:192.0.2.25" });`,
  expected: [
    'records["example.org TXT"][0] does not let 192.0.2.25 pass, from which mail of example.org leaves (egress of mail-dns).',
    "value lets mail pass from 100.101.102.103 alone, an address of a tailnet or a provider's NAT",
    "value has ip4:192.0.2.25 behind ~all, where no receiver reads on.",
    /why: receivers look the address that mail comes from up/,
    /instead: ip4:192\.0\.2\.25 in front of all/,
  ],
} satisfies Violation;
