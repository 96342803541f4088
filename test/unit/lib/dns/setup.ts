import type { MailSetup } from "../../../../lib/dns/mail-setup.ts";

const DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";

/** A stack of which everything is known that records are made from. */
export const wholeSetup = (more: Partial<MailSetup> = {}): MailSetup => ({
  mailHost: "mail.example.org",
  addresses: ["198.51.100.7"],
  domains: [domain("example.org"), domain("example.net", { hosts: ["mail.example.net"] })],
  services: ["smtp", "submissions", "submission", "imaps", "managesieve", "https"],
  egress: ["192.0.2.25"],
  dkim: [],
  mtaSts: { mode: "testing", maxAge: 7, mx: ["mail.example.org", "mail.example.net"] },
  acme: [{ directory: DIRECTORY, names: ["*.example.org", "mail.example.net", "mta-sts.example.net"] }],
  acmeAccounts: ["https://acme-v02.api.letsencrypt.org/acme/acct/12"],
  reports: undefined,
  isDelivered: (address) => address.startsWith("postmaster@"),
  ...more,
});

export const domain = (
  name: string,
  more: Partial<MailSetup["domains"][number]> = {},
): MailSetup["domains"][number] => ({ name, hosts: [], publishRecords: [], dmarc: "none", ...more });
