import type { Violation } from "./violation.ts";

// The account of the CA's staging left behind, and another CA than Caddy's.
export default {
  program: `
    component("MailSettings", "mail", { settings: { hostname: "mail.example.org", acme: [
      { id: "le", directory: "https://acme-v02.api.letsencrypt.org/directory", challenge: "dns-01", names: ["mail.example.org"] },
    ] } });
    dnsRecord("tailwart:dns:RecordSet", "records", { records: {
      "mail.example.org CAA": ['0 issue "letsencrypt.org; accounturi=https://acme-staging-v02.api.letsencrypt.org/acme/acct/7"'],
    } });
    dnsRecord("cloudflare:index/dnsRecord:DnsRecord", "caa", {
      zoneId: "023e105f4ecef8ad9ca31a8372d0c353", type: "CAA", name: "example.org", data: { flags: 0, tag: "issue", value: "digicert.com" },
    });
    container("edge", { networkMode: "host", uploads: [{ file: "/etc/caddy/Caddyfile", content: "www.example.org {\\n\\trespond ok\\n}\\n" }] });`,
  expected: [
    'records["mail.example.org CAA"][0] lets the account https://acme-staging-v02.api.letsencrypt.org/acme/acct/7 order, and Stalwart (mail, settings.acme[0].names[0]) orders the certificate for mail.example.org',
    /data\.value lets digicert\.com sign, and Caddy \(edge, .*\) orders the certificate for www\.example\.org/,
    /why: a CA refuses what CAA does not let it sign/,
    /instead: 0 issue "letsencrypt\.org"/,
  ],
} satisfies Violation;
