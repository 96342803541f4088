// What the expressions do on a server: test/engine/settings-fields.test.ts.
import { expect, test } from "vitest";

import { signingKeys } from "../../../../../lib/desired-state/keys/signing.ts";

const valuesOf = (domains: string[], suffix: string) =>
  Object.entries(signingKeys(domains)).flatMap(([key, value]) => (key.endsWith(suffix) ? [value] : []));

test("a declared domain's key is named only where it is stored", () => {
  const keys = signingKeys(["example.org"]);
  expect(keys["auth.dkim.sign.0000.if"]).toBe("sender_domain == 'example.org'");
  expect(keys["auth.dkim.sign.0000.then"]).toBe(
    "winnow([if_then(is_empty(config_get('signature.rsa-example.org.algorithm')), '', 'rsa-example.org'), " +
      "if_then(is_empty(config_get('signature.ed25519-example.org.algorithm')), '', 'ed25519-example.org')])",
  );
  for (const [key, then] of Object.entries(keys))
    if (then.includes("rsa-example.org"))
      expect(then + keys[key.replace(/then$/, "if")]).toContain("is_empty(config_get('signature.rsa-");
});

test("every kind of signature ends in none, and each domain has its rule", () => {
  expect(new Set(valuesOf(["a.org", "b.org"], ".else"))).toEqual(new Set(["false"]));
  const own = valuesOf(["a.org", "b.org"], ".if").filter((condition) => condition.includes("report.domain"));
  expect(own.filter((condition) => condition.includes("'b.org'")).length).toBe(own.length / 2);
});

test("a domain that somebody has made by hand is signed for as by Stalwart's own rule", () => {
  expect(signingKeys([])["auth.dkim.sign.0000.if"]).toBe("is_local_domain('*', sender_domain)");
  expect(signingKeys([])["auth.arc.seal"]).toBe("false");
});
