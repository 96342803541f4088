import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";

/** A complete desired state, as a component writes it. */
export const desired: StalwartSettingsInput = {
  hostname: "mail.lab.test",
  tailnetDomain: "tail.test",
  listeners: [
    { name: "smtp", protocol: "smtp", port: 25 },
    { name: "submissions", protocol: "smtp", port: 465, implicitTls: true },
    { name: "http", protocol: "http", port: 8080, proxy: false },
  ],
  allowedIps: ["100.64.0.0/10", "203.0.113.20"],
  relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
  outbound: { route: "smarthost" },
  spamRules: "none",
  webUi: "none",
  postgres: { host: "the-record-prod.tail.test" },
  domains: [{ name: "lab.test" }],
  accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
};
