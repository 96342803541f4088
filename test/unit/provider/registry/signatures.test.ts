/** DKIM signatures on Stalwart 0.16 and later, against the fake of its registry. */
import { beforeEach, expect, test } from "vitest";

import type { DkimStep } from "../../../../lib/dns/dkim-steps.ts";
import type { RegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import { convergeRegistry } from "../../../../provider/registry/converge.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects } from "./objects.ts";

const at = freshRegistry();
const keyFile = (selector: string) => `/etc/stalwart/secrets/dkim-${selector}`;

const withSelectors = (uses: Record<string, DkimStep>, ed25519?: string) =>
  registryObjects({
    domains: [{ name: "lab.test" }, { name: "second.test" }],
    dkim: Object.entries(uses).map(([selector, use]) => ({
      selector,
      use,
      ...(selector === ed25519 && { algorithm: "ed25519" as const }),
      keyFile: keyFile(selector),
    })),
  });
beforeEach(() => ["one", "two"].forEach((each) => at.fake.readableFiles.add(keyFile(each))));

const up = (objects: RegistryObjects, previous: RegistryObjects = {}) =>
  convergeRegistry(new RegistryApi(at.transport(), at.base), objects, previous);
const stages = () =>
  at.fake
    .inForce("DkimSignature")
    .map((row) => `${String(row["selector"])} ${String(row["stage"])}`)
    .toSorted();

test("a selector has a row for each domain, with its key in a file, and a second apply writes nothing", async () => {
  const declared = withSelectors({ one: "sign" });
  await up(declared);
  const rows = at.fake.inForce("DkimSignature");
  const domains = at.fake.inForce("Domain").map(({ id }) => id);
  expect(rows.map((row) => row["domainId"]).toSorted()).toEqual(domains.toSorted());
  for (const row of rows)
    expect(row).toMatchObject({
      "@type": "Dkim1RsaSha256",
      privateKey: { "@type": "File", filePath: keyFile("one") },
      report: false,
    });
  expect(await up(declared, declared)).toMatchObject({ writes: 0, restarted: false });
});

test("a key of ed25519 has a row of its own kind beside that of RSA, and both sign", async () => {
  const declared = withSelectors({ one: "sign", two: "sign" }, "two");
  await up(declared);
  const kinds = at.fake.inForce("DkimSignature").map((row) => [row["@type"], row["selector"], row["stage"]]);
  expect(kinds.filter(([, selector]) => selector === "one")).toEqual(
    Array(2).fill(["Dkim1RsaSha256", "one", "active"]),
  );
  expect(kinds.filter(([, selector]) => selector === "two")).toEqual(
    Array(2).fill(["Dkim1Ed25519Sha256", "two", "active"]),
  );
  expect(await up(declared, declared)).toMatchObject({ writes: 0, restarted: false });
});

test("a rotation takes each key from pending over active to retiring, without a restart, and none is taken from the signing one first", async () => {
  const steps = [
    withSelectors({ one: "sign", two: "publish" }),
    withSelectors({ one: "retire", two: "sign" }),
    withSelectors({ two: "sign" }),
  ];
  await up(steps[0] as RegistryObjects);
  expect(stages()).toEqual(["one active", "one active", "two pending", "two pending"]);
  const second = Object.keys(steps[1] ?? {}).filter((key) => key.startsWith("DkimSignature/"));
  expect(second[0]).toBe("DkimSignature/two._domainkey.lab.test");
  expect(await up(steps[1] as RegistryObjects, steps[0])).toMatchObject({ writes: 4, restarted: false });
  expect(stages()).toEqual(["one retiring", "one retiring", "two active", "two active"]);
  await up(steps[2] as RegistryObjects, steps[1]);
  expect(stages()).toEqual(["two active", "two active"]);
});

test("a signature that somebody has made by hand stays", async () => {
  const before = withSelectors({ one: "sign" });
  await up(before);
  const domain = at.fake.inForce("Domain").find(({ name }) => name === "lab.test");
  at.fake.add("DkimSignature", { "@type": "Dkim1RsaSha256", selector: "hand", domainId: domain?.["id"] });
  await up(withSelectors({}), before);
  expect(at.fake.inForce("DkimSignature").map(({ selector }) => selector)).toEqual(["hand"]);
});
