import { UserError } from "../../lib/errors.ts";
import { openRunningLab } from "../parts/open-lab.ts";
import { FAULTS } from "./index.ts";
import { addToRecord, rowOf } from "./record.ts";
import { rowsOf, summaryOf } from "./report.ts";
import { type Outcome, runFault } from "./run-fault.ts";
import { openWorld } from "./world.ts";

export interface FaultsOptions {
  /** The lab. */
  name: string;
  /** Which faults; all when none is named. */
  faults: readonly string[];
  messages: number;
  json: boolean;
  /** Puts what was measured into docs/reliability.json. */
  record: boolean;
}

/**
 * Messages a second, of all sessions. Stalwart takes five of an address, and the lab's carries some
 * twenty on two cores.
 */
const PER_SECOND = 20;

/**
 * Runs faults one after the other and prints what came of each.
 *
 * @returns 0 when nothing was lost, repeated, refused for good or left in a log; else 1
 * @throws UserError when there is no such fault, or no stack
 */
export async function runFaults({ name, faults, messages, json, record }: FaultsOptions): Promise<number> {
  const chosen = faults.length === 0 ? FAULTS : faults.map(faultCalled);
  const say = (line: string) => void (json ? console.error(line) : console.log(line));
  const world = await openWorld(await openRunningLab(name));
  const outcomes: Outcome[] = [];
  for (const [index, fault] of chosen.entries()) {
    const began = Date.now();
    const at = () => `${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s`;
    say(`[${index + 1}/${chosen.length}] ${fault.name}`);
    const log = (line: string) => say(`  ${at()}  ${line}`);
    const outcome = await runFault(world, fault, { messages, perSecond: PER_SECOND, hurry: false, log });
    outcomes.push(outcome);
    for (const line of rowsOf(outcome)) say(`  ${line}`);
    if (record && outcome.problems.length === 0) addToRecord([rowOf(outcome, world.lab.facts.stalwartLine)]);
  }
  for (const line of summaryOf(outcomes)) say(line);
  if (json) console.log(JSON.stringify(outcomes, null, 2));
  return outcomes.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function faultCalled(name: string) {
  const found = FAULTS.find((each) => each.name === name);
  if (found) return found;
  throw new UserError(`there is no fault "${name}"`, {
    path: "faults",
    hint: `write one of: ${FAULTS.map((each) => each.name).join(", ")}`,
  });
}
