import { expect, test } from "vitest";

import { reliabilityDoc } from "../../../../cli/docs/reliability.ts";
import { FAULTS } from "../../../../cli/faults/index.ts";
import { merged, readRecord, type Row } from "../../../../cli/faults/record.ts";

const row = (fault: string, sent = 1000): Row => ({
  fault,
  sent,
  refusedForNow: 21,
  lost: 0,
  duplicated: 2,
  refusing: 7.5,
  healing: 6.8,
  draining: 81,
  date: "2026-11-28",
  machine: "2 cores",
});

test("a new run takes the place of the one before, and leaves those of other faults", () => {
  const record = [row("stalwart-killed"), row("relay-down")];
  expect(merged(record, [row("stalwart-killed", 500)])).toEqual([
    row("relay-down"),
    row("stalwart-killed", 500),
  ]);
});

test("the page has a line for each fault that was measured, and names those that were not", () => {
  const page = reliabilityDoc([row("stalwart-killed"), row("a-fault-of-before")]);
  expect(page).toMatch(
    /^\| \*\*stalwart-killed\*\*: [^|]+ \| 1000 \| 21 \| 0 \| 2 \| 7\.5 s \| 6\.8 s \| 81 s \| 2026-11-28 \| 2 cores \|$/m,
  );
  expect(page).not.toContain("a-fault-of-before");
  for (const { name } of FAULTS) expect(page).toContain(name);
});

test("nothing is lost in any run that is in the record", () => {
  expect(readRecord().filter(({ lost }) => lost > 0)).toEqual([]);
});

test("faults have names of their own", () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});
