import type { Violation } from "./violation.ts";

// Lesson 7: Caddy's automatic HTTPS orders what Stalwart orders, and a second client of Stalwart
// does too.
export default {
  program: `
    settings("settings", {
      "server.hostname": "mail.example.org",
      "acme.one.directory": "https://acme.example/directory",
      "acme.one.domains.0000": "mail.example.org",
      "acme.two.directory": "https://acme.example/directory",
      "acme.two.domains.0000": "mail.example.org",
    });
    container("edge", { uploads: [{ file: "/etc/caddy/Caddyfile", content: "mail.example.org {\\n\\trespond ok\\n}\\n" }] });`,
  expected: [
    'settings["acme.two.domains.0000"] orders mail.example.org, which another ACME client of Stalwart orders (settings["acme.one.domains.0000"])',
    "uploads[0].content (/etc/caddy/Caddyfile) line 1 (mail.example.org) orders a certificate for mail.example.org, which Stalwart orders too",
    /why: .*budget of duplicates/,
    /instead: the name at one ACME client alone/,
  ],
} satisfies Violation;
