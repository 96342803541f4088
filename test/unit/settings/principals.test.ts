import { expect, test } from "vitest";

import { bytesOf } from "../../../lib/settings/domains.ts";
import { parseSettings } from "../../../lib/settings/parse.ts";
import { toPrincipals } from "../../../lib/settings/principals.ts";
import { toRegistryObjects } from "../../../lib/settings/registry.ts";
import { desired } from "./desired.ts";

const two = parseSettings({
  ...desired,
  domains: [{ name: "lab.test", catchAll: "post@lab.test" }, { name: "second.test" }],
  accounts: [
    { name: "alice", emails: ["alice@lab.test", "post@lab.test"], quota: "10G" },
    { name: "bob@second.test", emails: ["bob@second.test"] },
  ],
});

test("a catch-all is an address of the account that gets it on 0.15, and the domain's own from 0.16 on", () => {
  expect(toPrincipals(two)).toEqual({
    domains: ["lab.test", "second.test"],
    accounts: {
      alice: { emails: ["alice@lab.test", "post@lab.test", "@lab.test"], quota: 10_737_418_240 },
      "bob@second.test": { emails: ["bob@second.test"] },
    },
  });
  const objects = toRegistryObjects(two);
  expect(objects["Domain/lab.test"]).toMatchObject({ catchAllAddress: "post@lab.test" });
  expect(objects["Domain/second.test"]).toMatchObject({ catchAllAddress: null });
});

test.each([
  ["500M", 524_288_000],
  ["10G", 10_737_418_240],
  ["1T", 1_099_511_627_776],
])("%s are %i bytes", (size, bytes) => expect(bytesOf(size)).toBe(bytes));
