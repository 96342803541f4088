import { expect, test } from "vitest";

import { bytesOf } from "../../../../../lib/desired-state/domains.ts";
import { parseSettings } from "../../../../../lib/desired-state/parse.ts";
import { toPrincipals } from "../../../../../lib/desired-state/keys/principals.ts";
import { reference } from "../../../../../lib/desired-state/registry/spelling.ts";
import { toRegistryObjects } from "../../../../../lib/desired-state/registry/objects.ts";
import { desired } from "../desired.ts";

const two = parseSettings({
  ...desired,
  domains: [{ name: "lab.test", catchAll: "post@lab.test" }, { name: "second.test" }],
  accounts: [
    { name: "alice", emails: ["alice@lab.test", "post@lab.test"], quota: "10G" },
    { name: "bob@second.test", emails: ["bob@second.test"] },
  ],
  groups: [{ name: "support", emails: ["support@lab.test"], members: ["alice", "bob@second.test"] }],
  lists: [{ address: "team@second.test", recipients: ["alice@lab.test", "carol@elsewhere.test"] }],
});

test("a catch-all is an address of the account that gets it on 0.15, and the domain's own from 0.16 on", () => {
  expect(toPrincipals(two)).toEqual({
    domains: ["lab.test", "second.test"],
    accounts: {
      alice: { emails: ["alice@lab.test", "post@lab.test", "@lab.test"], quota: 10_737_418_240 },
      "bob@second.test": { emails: ["bob@second.test"] },
    },
    groups: { support: { emails: ["support@lab.test"], members: ["alice", "bob@second.test"] } },
    lists: { "team@second.test": ["alice@lab.test", "carol@elsewhere.test"] },
  });
  const objects = toRegistryObjects(two);
  expect(objects["Domain/lab.test"]).toMatchObject({ catchAllAddress: "post@lab.test" });
  expect(objects["Domain/second.test"]).toMatchObject({ catchAllAddress: null });
});

test("a mailing list is a row of its domain from 0.16 on", () => {
  expect(toRegistryObjects(two)["MailingList/team@second.test"]).toEqual({
    name: "team",
    domainId: reference("Domain/second.test"),
    recipients: { "alice@lab.test": true, "carol@elsewhere.test": true },
  });
});

test("a catch-all may be a group's address", () => {
  const settings = parseSettings({
    ...two,
    domains: [{ name: "lab.test", catchAll: "support@lab.test" }, { name: "second.test" }],
  });
  expect(toPrincipals(settings).groups["support"]?.emails).toEqual(["support@lab.test", "@lab.test"]);
});

test.each([
  [{ name: "alice", emails: ["x@lab.test"], members: ["alice"] }, /"alice" is an account/],
  [{ name: "x", emails: ["x@lab.test"], members: ["carol"] }, /"carol" is none of accounts; accepts alice/],
  [{ name: "x", emails: ["x@lab.test"], members: [] }, /at least one/],
  [{ name: "x", emails: ["x@third.test"], members: ["alice"] }, /third\.test is none of domains/],
  [
    { name: "x", emails: ["x@lab.test", "post@lab.test"], members: ["alice"] },
    /emails\.1: post@lab\.test is taken/,
  ],
])("the group %j is refused", (group, why) => {
  expect(() => parseSettings({ ...two, groups: [group] })).toThrow(why);
});

test.each([
  [{ address: "alice@lab.test", recipients: ["bob@second.test"] }, /alice@lab\.test is taken/],
  [{ address: "team@third.test", recipients: ["bob@second.test"] }, /third\.test is none of domains/],
  [{ address: "team@lab.test", recipients: ["team@lab.test"] }, /team@lab\.test is a list/],
  [{ address: "team@lab.test", recipients: [] }, /at least one/],
  [{ address: "Team@lab.test", recipients: ["bob@second.test"] }, /in lower case/],
])("the list %j is refused", (list, why) => {
  expect(() => parseSettings({ ...two, lists: [list] })).toThrow(why);
});

test.each([
  ["500M", 524_288_000],
  ["10G", 10_737_418_240],
  ["1T", 1_099_511_627_776],
])("%s are %i bytes", (size, bytes) => expect(bytesOf(size)).toBe(bytes));
