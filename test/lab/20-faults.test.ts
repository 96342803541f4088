// What breaks while mail flows, and what becomes of the mail: six faults with some messages each,
// and all of them with more in test:full. By hand: npm run lab -- faults.
import { beforeAll, describe, expect, test } from "vitest";

import { FAULTS } from "../../cli/faults/index.ts";
import { drain, smarthostOf } from "../../cli/faults/reading.ts";
import { runFault } from "../../cli/faults/run-fault.ts";
import { openWorld, type World } from "../../cli/faults/world.ts";
import { lab } from "./lab.ts";

const FULL = process.env["TAILWART_FULL"] === "1";
/**
 * Those that matter most, and whether a sender must have been told to try again meanwhile: of so
 * few messages none may be, where open sessions outlast a restart.
 */
const SIX: Record<string, boolean> = {
  "relay-down": false,
  "stalwart-killed": true,
  "edge-restarted": false,
  "sidecar-restarted": false,
  "kvm-docker-restarted": false,
  "postgres-killed": true,
};
const [MESSAGES, PER_SECOND] = FULL ? [300, 10] : [60, 6];

let world: World;
/** What the schedule tries again after two minutes is looked for when the other faults are over. */
const waitsFor = { run: "", ids: [] as string[] };
beforeAll(async () => {
  world = await openWorld(lab);
});

describe("nothing that was taken is lost, nothing is refused for good, and no log has a surprise:", () => {
  const six = Object.keys(SIX).map((name) => FAULTS.find((fault) => fault.name === name)!);
  const chosen = FULL ? FAULTS : six;

  test.each(chosen)("$name", { timeout: FULL ? 1_800_000 : 240_000 }, async (fault) => {
    const log = (line: string) => console.log(`${fault.name}: ${line}`);
    const options = { messages: MESSAGES, perSecond: PER_SECOND, hurry: !FULL, log };
    const { run, verdict, times, draining, problems, ledger } = await runFault(world, fault, options);
    console.log(
      `${fault.name}: ${verdict.refusedForNow} refused for now, ${verdict.repeated} repeated, refusing ${times.refusing} s, healing ${times.healing} s, all there after ${draining.toFixed(0)} s`,
    );
    const waiting = new RegExp(`^${verdict.stuck.length} taken with 250 and still in the queue`);
    const later = !FULL && fault.name === "relay-down";
    if (later) Object.assign(waitsFor, { run, ids: verdict.stuck });
    expect(
      problems.filter((line) => !(later && waiting.test(line))),
      ledger,
    ).toEqual([]);
    expect(verdict.taken).toBe(MESSAGES);
    // Else nothing has broken.
    if (SIX[fault.name]) expect(verdict.refusedForNow).toBeGreaterThan(0);
  });

  test.skipIf(FULL)("what the smarthost had not taken has come to it meanwhile, once", async () => {
    const { queue } = await drain(world, waitsFor.run, 150, console.log);
    expect([...queue]).toEqual([]);
    expect(waitsFor.ids.length).toBeGreaterThan(0);
    const received = smarthostOf(world, waitsFor.run);
    expect(waitsFor.ids.filter((id) => received.get(id) !== 1)).toEqual([]);
  });
});
