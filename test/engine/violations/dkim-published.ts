import type { Violation } from "./violation.ts";

// Lesson 19: ed25519 alone; and a key that is missing.
export default {
  program: `
    const key = (name, content) => dnsRecord("cloudflare:index/dnsRecord:DnsRecord", name,
      { zoneId: "023e105f4ecef8ad9ca31a8372d0c353", type: "TXT", name, content });
    key("e1._domainkey.example.org", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    key("s1._domainkey.example.com", "v=DKIM1; k=rsa");`,
  expected: [
    "content is an ed25519 key, and the domain has no RSA key beside it.",
    "content has no p=, the public key.",
    /why: a signature whose key a receiver cannot use/,
    /instead: an RSA key of 2048 bits under another selector/,
  ],
} satisfies Violation;
