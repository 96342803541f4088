import type { Violation } from "./violation.ts";

// Lesson 8: the namespace has no IPv6, and the tailnet policy file makes MagicDNS answer AAAA.
export default {
  program: `
    container("ts", { envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:stalwart"] });
    container("stalwart", { envs: ["RELAY_HOST=mailbox.tail7b1641.ts.net:587"] });
    component("MailSettings", "mail", { relays: { backup: { host: "2001:db8::25", port: 587 } } });
    acl("acl", { grants: [], nodeAttrs: [{ target: ["tag:stalwart"], attr: ["magicdns-aaaa"] }] });`,
  expected: [
    "envs (RELAY_HOST) relays to mailbox.tail7b1641.ts.net, while the tailnet policy file's nodeAttrs set magicdns-aaaa",
    "relays.backup.host relays to 2001:db8::25, an IPv6 address",
    /why: .*no IPv6/,
    /instead: .*MagicDNS name/,
  ],
} satisfies Violation;
