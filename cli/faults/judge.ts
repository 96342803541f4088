/** What the sender was told, held against what is found. */
import { type Attempt, isRefusedForGood, isTaken } from "../../lab/mail/ledger.ts";
import type { Fault } from "./fault.ts";

/** How many copies of each message lie where; one that lies nowhere is not in it. */
export interface Found {
  /** In the mailbox of whom it was for, by IMAP through the edge. */
  mailbox: ReadonlyMap<string, number>;
  /** In the smarthost's maildir. */
  smarthost: ReadonlyMap<string, number>;
  /** Still in Stalwart's queue. */
  queue: ReadonlySet<string>;
  /** Of which a notice to the sender says that it could not be delivered. */
  bounced: ReadonlySet<string>;
}

export interface Verdict {
  /** Messages, and those among them that a server has taken. */
  sent: number;
  taken: number;
  /** Attempts that were to be made again, and the messages that they were about. */
  refusedForNow: number;
  delayed: number;
  /** Taken, and found nowhere, and nobody was told. */
  lost: string[];
  /** Taken, and come back to the sender. */
  bounced: string[];
  /** Taken, and still in the queue at the end. */
  stuck: string[];
  /** Found more than once, though each copy but one was not offered anew after a silence. */
  duplicated: string[];
  /** Copies that are there because a reply was lost, so that the sender had to try again. */
  repeated: number;
  /** Replies of 5xx, each with its message. */
  refusedForGood: string[];
  /** Neither taken nor refused for good until the sender's deadline. */
  neverTaken: string[];
  /** Found, though nobody was ever told that it was taken, nor left in doubt. */
  unexplained: string[];
}

/** The one complaint that may pass with time. */
export const STUCK = "taken with 250 and still in the queue";

/** Holds a ledger against what was found; pure. */
export function judge(ledger: readonly Attempt[], found: Found): Verdict {
  const byId = Map.groupBy(ledger, ({ id }) => id);
  const verdict: Verdict = {
    sent: byId.size,
    taken: 0,
    refusedForNow: ledger.filter((each) => !isTaken(each) && !isRefusedForGood(each)).length,
    delayed: 0,
    lost: [],
    bounced: [],
    stuck: [],
    duplicated: [],
    repeated: 0,
    refusedForGood: ledger
      .filter(isRefusedForGood)
      .map(({ id, stage, text = "" }) => `${id} at ${stage}: ${text}`),
    neverTaken: [],
    unexplained: [],
  };
  for (const [id, attempts] of byId) {
    const taken = attempts.filter(isTaken).length;
    const doubts = attempts.filter(({ inDoubt }) => inDoubt).length;
    const copies = (found.mailbox.get(id) ?? 0) + (found.smarthost.get(id) ?? 0);
    const queued = found.queue.has(id);
    if (taken > 0) verdict.taken++;
    else if (!attempts.some(isRefusedForGood)) verdict.neverTaken.push(id);
    if (attempts.length > 1) verdict.delayed++;
    const bounced = found.bounced.has(id);
    if (bounced) verdict.bounced.push(id);
    else if (taken > 0 && copies === 0) (queued ? verdict.stuck : verdict.lost).push(id);
    if (copies > Math.max(1, taken) + doubts) verdict.duplicated.push(id);
    else if (copies > 1) verdict.repeated += copies - 1;
    if (copies > 0 && taken + doubts === 0) verdict.unexplained.push(id);
  }
  return verdict;
}

/**
 * What is wrong, each in one line; [] when all of it is as it must be.
 *
 * @param may what a fault may lead to
 */
export function complaints(verdict: Verdict, may: Pick<Fault, "duplicates" | "bounces"> = {}): string[] {
  const { lost, bounced, stuck, duplicated, refusedForGood, neverTaken, unexplained } = verdict;
  const lists: [string, string[]][] = [
    ["taken with 250 and found nowhere", lost],
    ["taken with 250 and come back as undeliverable", may.bounces === undefined ? bounced : []],
    [STUCK, stuck],
    ["found more than once, and no reply was lost", may.duplicates === undefined ? duplicated : []],
    ["refused for good", refusedForGood],
    ["not taken until the sender gave up", neverTaken],
    ["found, though it was never taken", unexplained],
  ];
  return lists.flatMap(([what, ids]) =>
    ids.length === 0
      ? []
      : [`${ids.length} ${what}: ${ids.slice(0, 3).join("; ")}${ids.length > 3 ? "; …" : ""}`],
  );
}

export interface Times {
  /** The longest time for which attempts failed, each soon after the one before. Seconds. */
  refusing: number;
  /** From when the fault was over to the first message that was taken for good. Seconds. */
  healing: number;
}

/**
 * How long mail was refused, and how long after the end of the fault. Both are 0 when nothing was
 * refused.
 *
 * @param over when the fault was over, or had struck where there is nothing to take back.
 *   Milliseconds since the epoch
 */
export function timesOf(ledger: readonly Attempt[], over: number): Times {
  const failed = ledger.filter((each) => !isTaken(each));
  if (failed.length === 0) return { refusing: 0, healing: 0 };
  // A connection that hangs ends long after others have been taken: when it was begun counts.
  const last = Math.max(...failed.map(({ began }) => began));
  const back = Math.min(
    ...ledger.filter((each) => isTaken(each) && each.began >= last).map(({ ended }) => ended),
  );
  const end = Number.isFinite(back) ? back : Math.max(...failed.map(({ ended }) => ended));
  return {
    refusing:
      longest(
        failed.map(({ began }) => began),
        end,
      ) / 1000,
    healing: Math.max(0, (end - over) / 1000),
  };
}

/** Two refusals that are further apart belong to two interruptions. Milliseconds. */
const QUIET = 10_000;

/** The longest of the stretches that moments fall into; the last one ends with `end`. */
function longest(moments: readonly number[], end: number): number {
  const sorted = moments.toSorted((a, b) => a - b);
  let [start, before, most] = [sorted[0] ?? end, sorted[0] ?? end, 0];
  for (const moment of [...sorted.slice(1), end]) {
    if (moment - before > QUIET && moment !== end) start = moment;
    most = Math.max(most, moment - start);
    before = moment;
  }
  return most;
}
