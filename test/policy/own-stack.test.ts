import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dkimRecord } from "../../lib/dns/dkim.ts";
import { allPolicies } from "../../policies/rules/index.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { runPolicy, runStackPolicy, UNKNOWN, urnOf, type Outcome, type TestResource } from "./harness.ts";

const goldenOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../golden/${name}.json`), "utf8");

const KEY = dkimRecord(
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).publicKey,
);
/** Docker's ids are hex digits; the golden stack's are names, which read better. Keys are keys. */
const deployed = (golden: string): string =>
  golden
    .replace(/"container:[\w-]+-id"/g, `"container:${"0".repeat(64)}"`)
    .replaceAll("v=DKIM1; k=rsa; p=tw2026", KEY);
/** Before anything is made, whatever holds an id or a generated secret is unknown. */
const atFirst = (golden: string): string =>
  golden.replace(/"(?:[^"\\]|\\.)*"/g, (text) =>
    /-id"$|(?:key|secret|password|hash)-of-|k=rsa; p=/.test(text) ? JSON.stringify(UNKNOWN) : text,
  );

function resourcesOf(text: string): TestResource[] {
  const registered = JSON.parse(text) as Registered[];
  const urns = new Map(
    registered.map(({ type, name }) => [`${type} ${name}`, urnOf({ type, name, props: {} })]),
  );
  return registered.map(({ type, name, inputs, protect, comesFrom = {} }) => ({
    type,
    name,
    props: inputs,
    ...(protect && { protect }),
    propertyDependencies: Object.fromEntries(
      Object.entries(comesFrom).map(([input, sources]) => [
        input,
        sources.map((source) => urns.get(source) ?? source),
      ]),
    ),
  }));
}

/** What these judge is in a stack that writes its records alone. */
const OF_RECORDS = [
  "caa-matches-acme-account",
  "dkim-published",
  "mta-sts-names-the-mx",
  "mx-points-at-edge",
  "one-spf-record",
  "spf-names-the-relay",
];
/** That one judges what signs as well, which the 0.15 line's settings say also without a key. */
const OF_RECORDS_ALONE = OF_RECORDS.filter((id) => id !== "dkim-published");
/** The edge has an IPv4 address alone, so that no AAAA record is written. */
const WITHOUT_SUBJECT = "no-aaaa-without-v6-edge";

/** Whether a policy judged something, so that "no violation" says more than "not applicable". */
const judged = (outcome: Outcome): boolean => outcome.notApplicable === undefined;

const prod = goldenOf("prod");
const keys = goldenOf("keys");
const dns = goldenOf("dns");

/** What the policies cannot know before the first deploy. */
const NONE: Readonly<Record<string, readonly string[]>> = {};
const KEYS_TO_BE: typeof NONE = {
  "dkim-published": ["dkim.tw2026: unknown until the update"],
  "no-hardcoded-tailnet-ip": ["records.tw2026", "dkim.tw2026"].map(
    (place) => `${place}: unknown until the update`,
  ),
};

describe.each([
  ["once it is deployed", resourcesOf(deployed(prod)), OF_RECORDS],
  ["at its first preview", resourcesOf(atFirst(prod)), OF_RECORDS],
  ["with Stalwart 0.15, once it is deployed", resourcesOf(deployed(keys)), OF_RECORDS_ALONE],
  ["with Stalwart 0.15, at its first preview", resourcesOf(atFirst(keys)), OF_RECORDS_ALONE],
  ["that writes its records, once it is deployed", resourcesOf(deployed(dns)), []],
  ["that writes its records, at its first preview", resourcesOf(atFirst(dns)), [], KEYS_TO_BE],
])("the stack of Pulumi.prod.yaml %s", (_, resources, without: readonly string[], open = NONE) => {
  test.each(allPolicies.map((policy) => [policy.id, policy] as const))(
    "passes %s, with nothing left unjudged but keys that are to be made",
    async (id, policy) => {
      expect(resources.length).toBeGreaterThan(10);
      const outcomes = await Promise.all([
        ...(policy.judgeResource ? resources.map((resource) => runPolicy(policy, resource)) : []),
        ...(policy.judgeStack ? [runStackPolicy(policy, resources)] : []),
      ]);
      expect(outcomes.flatMap((outcome) => outcome.violations)).toEqual([]);
      const notJudged = outcomes.flatMap((outcome) => outcome.notJudged);
      expect(notJudged).toEqual(open[id] ?? []);
      expect(outcomes.some(judged)).toBe(![WITHOUT_SUBJECT, ...without].includes(policy.id));
    },
  );
});

test("the first preview's stack has unknown values, as one that is deployed has not", () => {
  expect(atFirst(prod).split(UNKNOWN).length).toBeGreaterThan(10);
  expect(deployed(prod)).not.toContain(UNKNOWN);
});
