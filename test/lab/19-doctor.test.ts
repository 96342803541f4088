// `npm run doctor`: quiet on a stack that works, and with each fault the one row that is to blame.
import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { isRegistry } from "./hands.ts";
import { doctor, type Outcome, red, told } from "./doctor.ts";
import { FAULTS } from "./doctor-faults.ts";
import { up, said } from "./lab.ts";

const FULL = process.env["TAILWART_FULL"];
/** Words of the only faults to show, for whoever works on one. */
const ONLY = process.env["TAILWART_FAULT"];
/** Seconds within which a fault is to be seen, and its end. */
const PATIENCE = 60;

/** Examines again until it is as it should be; the last outcome either way. */
async function examinedUntil(is: (outcome: Outcome) => boolean): Promise<Outcome & { after: number }> {
  const start = Date.now();
  for (;;) {
    const outcome = await doctor();
    const after = (Date.now() - start) / 1000;
    if (is(outcome) || after > PATIENCE) return { ...outcome, after };
  }
}

const words = (outcome: Outcome) => red(outcome).map((id) => `${id}: ${told(outcome, id)}`);

beforeAll(async () => {
  const deployed = await up({}, "--refresh");
  expect(deployed.code, said(deployed)).toBe(0);
  // The CA is not waited for by `up`.
  expect(words(await examinedUntil(({ code }) => code === 0))).toEqual([]);
});

describe("a stack that works", () => {
  test(`is examined ${FULL ? 20 : 3} times without a false alarm, in at most 15 s each`, async () => {
    for (let time = 0; time < (FULL ? 20 : 3); time++) {
      const outcome = await doctor();
      expect(words(outcome)).toEqual([]);
      expect(outcome).toMatchObject({ code: 0, state: "ok" });
      expect(outcome.seconds).toBeLessThanOrEqual(15);
    }
  });
});

describe("a fault turns its own row red and no stranger's, and is gone when it is mended", () => {
  const some = (ci?: true) => (ONLY === undefined ? FULL || ci : true);
  const faults = FAULTS.filter(
    ({ what, ci, line }) => some(ci) && what.includes(ONLY ?? "") && (line === undefined || !isRegistry),
  );
  let heal: (() => unknown) | undefined;
  // Whatever a test has found: the next one is to meet a stack that works.
  afterEach(async () => {
    await heal?.();
    heal = undefined;
  });

  test.each(faults)("$what: $row", async (fault) => {
    heal = fault.heal;
    await fault.inject();
    const seen = await examinedUntil((outcome) => outcome.code === 1 && String(red(outcome)) === fault.row);
    expect(words(seen)).toEqual([expect.stringMatching(new RegExp(`^${fault.row}: `))]);
    expect(told(seen, fault.row)).toMatch(fault.says);
    heal = undefined;
    await fault.heal();
    const healed = await examinedUntil(({ code }) => code === 0);
    expect(words(healed)).toEqual([]);
    console.log(
      `${fault.what}: red after ${seen.after.toFixed(0)} s, green after ${healed.after.toFixed(0)} s`,
    );
  });
});
