import type { Violation } from "./violation.ts";

// Lesson 18: what an API that appends leaves behind, and two records at once.
export default {
  program: `
    const zoneId = "023e105f4ecef8ad9ca31a8372d0c353";
    const spf = (name, content) => dnsRecord("cloudflare:index/dnsRecord:DnsRecord", name, { zoneId, type: "TXT", name: "example.org", content });
    spf("spf", "v=spf1 ip4:203.0.113.25 -all");
    spf("spf-of-before", "v=spf1 include:_spf.example.net ~all");
    dnsRecord("aws:route53/record:Record", "sets", {
      zoneId: "Z0123456789", type: "TXT", name: "example.com", records: ["v=spf1 mx -all", "v=spf1 +all"],
    });`,
  expected: [
    /content is one more SPF record of example\.org, beside that of spf(?:-of-before)? \(content\)\./,
    "records[1] is one more SPF record of example.com, beside records[0].",
    "records[1] ends in +all, which lets every host of the internet send",
    /why: two v=spf1 records.* are a permerror/,
    /instead: one v=spf1 record/,
  ],
} satisfies Violation;
