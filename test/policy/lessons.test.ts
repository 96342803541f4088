import { expect, test } from "vitest";

import { CARDS } from "../guards/cuts.ts";
import { allPolicies } from "../../policies/rules/index.ts";

const named = CARDS.flatMap(({ number, refusedBy }) => refusedBy.map((id) => ({ number, id })));

test.each(named)("the pack has $id, which lesson $number is refused by", ({ id }) => {
  expect(allPolicies.map((policy) => policy.id)).toContain(id);
});
