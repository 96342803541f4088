/** Mailing lists on Stalwart 0.16 and later, against the fake of its registry. */
import { expect, test } from "vitest";

import type { RegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import { convergeRegistry } from "../../../../provider/registry/converge.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects } from "./objects.ts";

const at = freshRegistry();

const withList = (...recipients: string[]) =>
  registryObjects({
    domains: [{ name: "lab.test" }, { name: "second.test" }],
    ...(recipients.length > 0 && { lists: [{ address: "team@second.test", recipients }] }),
  });
const up = (objects: RegistryObjects, previous: RegistryObjects = {}) =>
  convergeRegistry(new RegistryApi(at.transport(), at.base), objects, previous);
const recipients = () =>
  at.fake.inForce("MailingList").map((row) => Object.keys(row["recipients"] as object));

test("a list is made after its domain, and a second apply writes nothing", async () => {
  const declared = withList("alice@lab.test", "carol@elsewhere.test");
  await up(declared);
  expect(recipients()).toEqual([["alice@lab.test", "carol@elsewhere.test"]]);
  expect(await up(declared, declared)).toMatchObject({ writes: 0, restarted: false });
});

test("its recipients become those that are declared, without a restart", async () => {
  const [before, after] = [withList("alice@lab.test"), withList("bob@lab.test")];
  await up(before);
  expect(await up(after, before)).toMatchObject({ writes: 1, restarted: false });
  expect(recipients()).toEqual([["bob@lab.test"]]);
});

test("one that is declared no more goes, and one that somebody has made by hand stays", async () => {
  const before = withList("alice@lab.test");
  await up(before);
  const domain = at.fake.inForce("Domain").find(({ name }) => name === "lab.test");
  at.fake.add("MailingList", { name: "hand", domainId: domain?.["id"], recipients: { "x@lab.test": true } });
  await up(withList(), before);
  expect(at.fake.inForce("MailingList").map(({ name }) => name)).toEqual(["hand"]);
});

test("one whose address another account has is refused, and its name is said", async () => {
  await up(withList());
  const domain = at.fake.inForce("Domain").find(({ name }) => name === "second.test");
  at.fake.add("Account", { "@type": "User", name: "team", domainId: domain?.["id"] });
  await expect(up(withList("alice@lab.test"), withList())).rejects.toThrow(
    /MailingList\/team@second\.test: primaryKeyViolation/,
  );
});
