import type { Violation } from "./violation.ts";

/**
 * The key was typed into the admin UI, where it shows blank; what the program declares is the mask
 * that the API gave out.
 */
export default {
  program: `
    settings("settings", {
      "acme.letsencrypt.directory": "https://acme-v02.api.letsencrypt.org/directory",
      "acme.letsencrypt.challenge": "dns-01",
      "acme.letsencrypt.domains.0000": "*.example.org",
      "acme.letsencrypt.provider": "desec",
    }, { fileSettings: { "acme.letsencrypt.secret": pulumi.secret("****") } });`,
  expected: [
    'fileSettings["acme.letsencrypt.secret"] is the mask that the API shows in place of a secret',
    /why: .*_acme-challenge.*lesson 2/,
    /instead: the path of a file in Stalwart's container/,
  ],
} satisfies Violation;
