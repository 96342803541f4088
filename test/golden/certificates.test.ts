import { beforeAll, describe, expect, test } from "vitest";

import { allPolicies } from "../../policies/rules/index.ts";
import { runPolicy, runStackPolicy, type TestResource } from "../policy/harness.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const TSIG_KEY = Buffer.from("golden TSIG key").toString("base64");
const ACME = [
  {
    id: "letsencrypt",
    contact: ["postmaster@example.org"],
    challenge: "dns-01",
    names: ["*.example.org"],
    default: true,
  },
];
const PROVIDER = { type: "rfc2136", host: "192.0.2.53", keyName: "stalwart." };
let resources: Registered[];

beforeAll(async () => {
  const keys = { "tailwart:acme": JSON.stringify(ACME), "tailwart:dnsProvider": JSON.stringify(PROVIDER) };
  resources = await resourcesOf(
    { ...configOf("Pulumi.prod.yaml"), ...keys },
    { "tailwart:postgresPassword": "a-password", "tailwart:dnsSecret": TSIG_KEY },
  );
});

describe("the stack prod with certificates over DNS-01", () => {
  test("has the DNS provider's key in one file of Stalwart's container and in what tries it before, as a secret", () => {
    const holders = resources.filter((resource) => JSON.stringify(resource).includes(TSIG_KEY));
    expect(holders.map(({ name }) => name)).toEqual(["dns-key-trial", "mail-stalwart-files"]);
    const text = JSON.stringify(holders);
    expect(text.split(TSIG_KEY)).toHaveLength(3);
    expect(text).toContain('"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"');
    expect(text).toContain("/etc/stalwart/secrets/dns");
  });

  test("violates no policy, and leaves none unjudged", async () => {
    const subjects = resources.map(({ type, name, inputs, protect }): TestResource => ({
      type,
      name,
      props: inputs,
      ...(protect && { protect }),
    }));
    const ids = ["acme-dns-secret-present", "one-acme-client-per-name", "wildcard-needs-dns01"];
    for (const policy of allPolicies.filter(({ id }) => ids.includes(id))) {
      const outcomes = await Promise.all([
        ...(policy.judgeResource ? subjects.map((subject) => runPolicy(policy, subject)) : []),
        ...(policy.judgeStack ? [runStackPolicy(policy, subjects)] : []),
      ]);
      expect(outcomes.flatMap(({ violations }) => violations)).toEqual([]);
      expect(outcomes.flatMap(({ notJudged }) => notJudged)).toEqual([]);
      expect(outcomes.some(({ notApplicable }) => notApplicable === undefined)).toBe(true);
    }
  });
});
