// What the expressions do on a server: test/engine/settings-fields.test.ts.
import { expect, test } from "vitest";

import {
  signatureKeys,
  signaturePatterns,
  signingKeys as keysOf,
} from "../../../../../lib/desired-state/keys/signing.ts";
import type { DkimSelector } from "../../../../../lib/desired-state/dkim.ts";

const named = (domains: string[]) => domains.map((name) => ({ name, publishRecords: [] }));
const signingKeys = (domains: string[], dkim: DkimSelector[] = []) =>
  keysOf({ domains: named(domains), dkim });
const selector = (name: string, use: DkimSelector["use"]): DkimSelector => ({
  selector: name,
  use,
  keyFile: `/etc/stalwart/secrets/dkim-${name}`,
});

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

test("every declared selector has its signature in the file, and the one that signs stands in every rule", () => {
  const dkim = [selector("old", "retire"), selector("new", "sign"), selector("next", "publish")];
  const file = signatureKeys({ domains: named(["a.org", "a.org.uk"]), dkim });
  expect(Object.keys(file).filter((key) => key.endsWith(".algorithm"))).toHaveLength(6);
  expect(file["signature.new_a_org.private-key"]).toBe("%{file:/etc/stalwart/secrets/dkim-new}%");
  expect(file["signature.new_a_org_uk.domain"]).toBe("a.org.uk");
  expect(signaturePatterns(dkim)).toEqual(["signature.old_*", "signature.new_*", "signature.next_*"]);

  const rules = JSON.stringify(signingKeys(["a.org"], dkim));
  expect(signingKeys(["a.org"], dkim)["auth.dkim.sign.0000.then"]).toBe("['new_a_org']");
  expect(signingKeys(["a.org"], dkim)["auth.arc.seal.0000.then"]).toBe("'new_a_org'");
  expect(rules).not.toMatch(/old_|next_|rsa-a\.org/);
});

test("keys of two algorithms sign side by side, and a seal, which is one alone, is of RSA", () => {
  const dkim = [{ ...selector("ed", "sign"), algorithm: "ed25519" as const }, selector("new", "sign")];
  const file = signatureKeys({ domains: named(["a.org"]), dkim });
  expect(file["signature.ed_a_org.algorithm"]).toBe("ed25519-sha256");
  expect(file["signature.new_a_org.algorithm"]).toBe("rsa-sha256");
  const keys = signingKeys(["a.org"], dkim);
  expect(keys["auth.dkim.sign.0000.then"]).toBe("['new_a_org', 'ed_a_org']");
  expect(keys["report.dsn.sign.0000.then"]).toBe("['new_a_org', 'ed_a_org']");
  expect(keys["auth.arc.seal.0000.then"]).toBe("'new_a_org'");
});

test("no id of a signature has a dot, by which the server would mix up the keys of two", () => {
  const file = signatureKeys({ domains: named(["a.org", "a.org.br"]), dkim: [selector("x", "sign")] });
  for (const key of Object.keys(file)) expect(key).toMatch(/^signature\.[a-z0-9_-]+\.[a-z-]+$/);
});

test("selectors of which none signs leave the keys that somebody has made by hand as they are", () => {
  expect(signingKeys(["a.org"], [selector("next", "publish")])).toEqual(signingKeys(["a.org"]));
});
