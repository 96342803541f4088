import type { Violation } from "./violation.ts";

export default {
  program: `
    settings("settings", {
      "acme.letsencrypt.directory": "https://acme-v02.api.letsencrypt.org/directory",
      "acme.letsencrypt.contact.0000": "postmaster@example.org",
      "acme.letsencrypt.challenge": "http-01",
      "acme.letsencrypt.domains.0000": "mail.example.org",
      "acme.letsencrypt.domains.0001": "*.example.org",
    });`,
  expected: [
    'settings["acme.letsencrypt.domains.0001"] asks for a wildcard with http-01',
    /why: .*over DNS alone.*lesson 4/,
    /instead: challenge dns-01 with a DNS provider/,
  ],
} satisfies Violation;
