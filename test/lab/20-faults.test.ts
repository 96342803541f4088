// What breaks while mail flows, and what becomes of the mail: six faults with some messages each,
// and all of them with more in test:full. By hand: npm run lab -- faults.
import { beforeAll, describe, expect, test } from "vitest";

import { FAULTS } from "../../cli/faults/index.ts";
import { STUCK } from "../../cli/faults/judge.ts";
import { drain } from "../../cli/faults/reading.ts";
import { rowsOf } from "../../cli/faults/report.ts";
import { runFault } from "../../cli/faults/run-fault.ts";
import { openWorld, type World } from "../../cli/faults/world.ts";
import { lab } from "./lab.ts";

const FULL = process.env["TAILWART_FULL"] === "1";
/**
 * Those that matter most, and whether a sender must have been told to try again meanwhile: of so
 * few messages none may be, where open sessions outlast a restart.
 */
const SIX: Record<string, boolean> = {
  // What these two leave to the schedule is due when the others are over.
  "relay-down": false,
  "postgres-killed": true,
  "stalwart-killed": true,
  "edge-restarted": false,
  "sidecar-restarted": false,
  "kvm-docker-restarted": false,
};
const [MESSAGES, PER_SECOND] = FULL ? [300, 10] : [60, 6];

let world: World;
/**
 * What the schedule tries again after two minutes is looked for when the other faults are over. Any
 * fault may leave such a message: one whose delivery fell into it.
 */
const waiting: { run: string; ids: readonly string[] }[] = [];
beforeAll(async () => {
  world = await openWorld(lab);
});

describe("nothing that was taken is lost, nothing is refused for good, and no log has a surprise:", () => {
  const six = Object.keys(SIX).map((name) => FAULTS.find((fault) => fault.name === name)!);
  const chosen = FULL ? FAULTS : six;

  test.each(chosen)("$name", { timeout: FULL ? 1_800_000 : 240_000 }, async (fault) => {
    const log = (line: string) => console.log(`${fault.name}: ${line}`);
    const options = { messages: MESSAGES, perSecond: PER_SECOND, hurry: !FULL, log };
    const outcome = await runFault(world, fault, options);
    for (const line of rowsOf(outcome)) log(line);
    const { run, verdict, problems, ledger } = outcome;
    if (!FULL) waiting.push({ run, ids: verdict.stuck });
    expect(
      problems.filter((line) => FULL || !line.includes(STUCK)),
      ledger,
    ).toEqual([]);
    expect(verdict.taken).toBe(MESSAGES);
    // Else nothing has broken.
    if (SIX[fault.name]) expect(verdict.refusedForNow).toBeGreaterThan(0);
  });

  test.skipIf(FULL)(
    "what had to wait for the schedule has come meanwhile, once",
    { timeout: 600_000 },
    async () => {
      // The smarthost was down: what it had not taken.
      expect(waiting.flatMap(({ ids }) => ids).length).toBeGreaterThan(0);
      for (const { run, ids } of waiting.filter((each) => each.ids.length > 0)) {
        const { queue, mailbox, smarthost } = await drain(world, run, 150, console.log);
        expect([...queue]).toEqual([]);
        const copies = (id: string) => (mailbox.get(id) ?? 0) + (smarthost.get(id) ?? 0);
        expect(ids.filter((id) => copies(id) !== 1)).toEqual([]);
      }
    },
  );
});
