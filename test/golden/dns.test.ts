// A stack that writes its records: each of them, as the one resource holds them.
import { expect, test } from "vitest";

import { configOf, resourcesOf } from "./program.ts";

const ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/1234567890";

test("every resource of a stack that writes its records is the one that was reviewed", async () => {
  const changes = {
    "tailwart:domains": JSON.stringify([
      { name: "example.org" },
      { name: "example.net", hosts: ["mail.example.net"] },
    ]),
    "tailwart:acme": JSON.stringify([
      {
        id: "letsencrypt",
        contact: ["postmaster@example.org"],
        challenge: "dns-01",
        names: ["*.example.org", "*.example.net"],
      },
    ]),
    "tailwart:dnsProvider": JSON.stringify({ type: "rfc2136", host: "192.0.2.53", keyName: "writes" }),
    "tailwart:dkim": JSON.stringify({ selectors: [{ name: "tw2026", use: "sign" }] }),
    "tailwart:dns": JSON.stringify({
      write: true,
      acmeAccounts: [ACCOUNT],
      reports: "postmaster@example.org",
    }),
  };
  const secrets = { "tailwart:postgresPassword": "a-password", "tailwart:dnsSecret": "YSBrZXkgb2YgRE5T" };
  const resources = await resourcesOf({ ...configOf("Pulumi.prod.yaml"), ...changes }, secrets);
  await expect(`${JSON.stringify(resources, null, 2)}\n`).toMatchFileSnapshot("dns.json");
});
