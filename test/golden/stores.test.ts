import { beforeAll, describe, expect, test } from "vitest";

import { parse } from "jsonc-parser";

import { allPolicies } from "../../policies/rules/index.ts";
import { runPolicy, runStackPolicy, type TestResource } from "../policy/harness.ts";
import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const SECRET = "golden-s3-secret";
const STORES = {
  inMemoryStore: { type: "redis", host: "the-record-prod" },
  blobStore: { type: "s3", bucket: "mail-blobs", accessKey: "AKIA", endpoint: "http://minio:9000" },
};
let resources: Registered[];

beforeAll(async () => {
  resources = await resourcesOf(
    { ...configOf("Pulumi.prod.yaml"), "tailwart:settings": JSON.stringify(STORES) },
    { "tailwart:postgresPassword": "a-password", "tailwart:blobStoreSecret": SECRET },
  );
});

const one = (type: string) => resources.find((resource) => resource.type === type)?.inputs ?? {};

describe("the stack prod with Redis on Postgres' machine and S3 on another of the tailnet", () => {
  test("names both in the registry, and S3's secret by its file alone", () => {
    expect(one("tailwart:mail:Registry")["objects"]).toMatchObject({
      InMemoryStore: { "@type": "Redis", url: "redis://the-record-prod.tail7b1641.ts.net:6379/0" },
      BlobStore: { region: { "@type": "Custom", customEndpoint: "http://minio.tail7b1641.ts.net:9000" } },
    });
    const holders = resources.filter((resource) => JSON.stringify(resource).includes(SECRET));
    expect(holders.map(({ name }) => name)).toEqual(["mail-stalwart-files"]);
  });

  test("grants Stalwart both, and gives their tags owners", () => {
    const document = parse(String(one("tailscale:index/acl:Acl")["acl"])) as {
      grants: unknown[];
      tagOwners: object;
    };
    for (const [dst, ip] of [
      ["tag:redis", "tcp:6379"],
      ["tag:s3", "tcp:9000"],
    ]) {
      expect(document.grants).toContainEqual({ src: ["tag:stalwart"], dst: [dst], ip: [ip] });
      expect(document.tagOwners).toHaveProperty([String(dst)]);
    }
  });

  test("violates no policy that looks at either", async () => {
    const subjects = resources.map(({ type, name, inputs, protect }): TestResource => ({
      type,
      name,
      props: inputs,
      ...(protect && { protect }),
    }));
    const ids = ["tailnet-flows-granted", "secrets-not-in-plain-sight", "sidecar-waits-for-postgres"];
    for (const policy of allPolicies.filter(({ id }) => ids.includes(id))) {
      const outcomes = await Promise.all([
        ...(policy.judgeResource ? subjects.map((subject) => runPolicy(policy, subject)) : []),
        ...(policy.judgeStack ? [runStackPolicy(policy, subjects)] : []),
      ]);
      expect(outcomes.flatMap(({ violations }) => violations)).toEqual([]);
      const unjudged = outcomes.flatMap(({ notJudged }) => notJudged);
      expect(unjudged.filter((text) => /redis|minio|the-record-prod|secret/i.test(text))).toEqual([]);
      expect(outcomes.some(({ notApplicable }) => notApplicable === undefined)).toBe(true);
    }
  });
});
