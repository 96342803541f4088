import type { Violation } from "./violation.ts";

// A second MX host that the policy does not know, and an id that no sender heeds.
export default {
  program: `
    component("MailSettings", "mail", { settings: {
      hostname: "mail.example.org", domains: [{ name: "example.org" }], mtaSts: { mode: "enforce", maxAge: 7, mx: ["mail.example.org"] },
    } });
    dnsRecord("tailwart:dns:RecordSet", "records", { records: {
      "example.org MX": ["10 mail.example.org.", "20 backup.example.net."],
      "_mta-sts.example.org TXT": ["v=STSv1; id=20261102"],
      "_mta-sts.example.com TXT": ["v=STSv1; id=2026-11-02"],
    } });`,
  expected: [
    'settings.mtaSts.mx does not name backup.example.net, to which the MX record of example.org leads (records, records["example.org MX"][1]).',
    'records["_mta-sts.example.com TXT"][0] has the id "2026-11-02", and senders heed 1 to 32 letters and digits alone.',
    /why: a sender that keeps the policy brings no mail/,
    /instead: backup\.example\.net among its mx/,
  ],
} satisfies Violation;
