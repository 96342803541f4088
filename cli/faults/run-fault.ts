import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { addClientAddresses, removeClientAddresses } from "../../lab/mail/client-addresses.ts";
import { isTaken } from "../../lab/mail/ledger.ts";
import { startTraffic, type Traffic } from "../../lab/mail/start-traffic.ts";
import { until } from "../../lab/run.ts";
import { submission } from "../parts/mail-round-trip.ts";
import { NORMAL } from "./allowed.ts";
import { type Fault, SESSIONS } from "./fault.ts";
import { complaints, judge, timesOf, type Times, type Verdict } from "./judge.ts";
import { beginLogs, type Component, COMPONENTS, unexpected } from "./logs.ts";
import { drain, mailboxOf } from "./reading.ts";
import type { World } from "./world.ts";

export interface RunOptions {
  messages: number;
  /** At most. */
  perSecond: number;
  /**
   * Waits ten seconds for the queue, and restarts Stalwart then, which gives up its locks.
   */
  hurry: boolean;
  /** Where a line about each step goes. */
  log: (line: string) => void;
}

/** What came of a fault. */
export interface Outcome {
  fault: string;
  /** Begins each message's id. */
  run: string;
  verdict: Verdict;
  times: Times;
  /**
   * From when the fault was over until the last message was where it belongs; undefined when one is
   * in the queue still. Seconds.
   */
  draining?: number;
  /** What is wrong, each in a line: nothing when the run is green. */
  problems: string[];
  ledger: string;
}

/** How long a sender goes on trying. Seconds, beyond the time that the messages are spread over. */
const SENDER_PATIENCE = 180;
/** What part of the messages is taken before the fault strikes. */
const BEFORE = 0.2;
/** How long a restarted Stalwart may take to deliver what it finds in its queue. Seconds. */
const HURRIED = 20;

/** Runs one fault under traffic, waits until all is well again, and reckons up. */
export async function runFault(world: World, fault: Fault, options: RunOptions): Promise<Outcome> {
  try {
    await fault.prepare?.(world);
    return await runPrepared(world, fault, options);
  } finally {
    await fault.restore?.(world);
  }
}

async function runPrepared(world: World, fault: Fault, options: RunOptions): Promise<Outcome> {
  const { messages, log } = options;
  const perSecond = Math.min(options.perSecond, messages / (fault.spans ?? 12));
  const run = `f${randomBytes(4).toString("hex")}`;
  const readLogs = beginLogs(world);
  const addresses = await addClientAddresses(world.layout, SESSIONS);
  const traffic = startTraffic(world.layout, {
    run,
    count: messages,
    perSecond,
    deadline: Math.ceil(messages / perSecond) + (fault.lasts ?? 0) + SENDER_PATIENCE,
    ...servers(world),
    addresses,
  });
  try {
    log(`${messages} messages, ${perSecond.toFixed(1)} a second`);
    const over = await strike(world, fault, traffic, { messages, perSecond, log });
    await traffic.ended;
    const { ledger } = traffic;
    const { refusing, healing } = timesOf(ledger, over);
    log(`all sent; refused for ${refusing.toFixed(1)} s, healed after ${healing.toFixed(1)} s`);
    const patience = options.hurry ? 10 : (fault.patience ?? 300);
    let found = await drain(world, run, patience, log);
    const logs = await readLogs();
    if (options.hurry && found.queue.size > 0 && !fault.scheduled) {
      log("Stalwart is restarted, and gives up its locks");
      await world.docker("kvm", ["restart", world.container("stalwart")]);
      found = await drain(world, run, HURRIED, log);
    }
    const verdict = judge(ledger, found);
    const problems = [...complaints(verdict, fault), ...logProblems(logs, fault)];
    await mailboxOf(world, run, true);
    return {
      fault: fault.name,
      run,
      verdict,
      times: { refusing, healing },
      ...(found.emptyAt !== undefined && { draining: Math.max(0, (found.emptyAt - over) / 1000) }),
      problems,
      ledger: traffic.file,
    };
  } finally {
    traffic.stop();
    await removeClientAddresses(world.layout);
  }
}

/** Injects and heals. @returns when the fault was over */
async function strike(
  world: World,
  fault: Fault,
  traffic: Traffic,
  { messages, perSecond, log }: Pick<RunOptions, "messages" | "perSecond" | "log">,
): Promise<number> {
  const taken = () => traffic.ledger.filter(isTaken).length;
  const begun = Math.max(1, Math.floor(messages * BEFORE));
  await until(
    `${begun} messages are taken before the fault`,
    () => taken() >= begun,
    60_000 + (messages / perSecond) * 1000,
    {
      detail: () => JSON.stringify(traffic.ledger.find((each) => !isTaken(each)) ?? {}),
    },
  );
  log(`${fault.name}: ${fault.what}`);
  let healed = false;
  const heal = async () => {
    healed = true;
    await fault.heal?.(world);
  };
  try {
    await fault.inject(world);
    if (!fault.heal) return Date.now();
    await sleep((fault.lasts ?? 10) * 1000);
    log("taken back");
    await heal();
    return Date.now();
  } finally {
    if (!healed) await heal();
  }
}

function servers({ lab, password }: World) {
  const out = submission(lab, password);
  return { in: { host: out.host, port: 25, secure: false, to: out.from }, out };
}

function logProblems(logs: Record<Component, string>, fault: Fault): string[] {
  const allowed = [...NORMAL, ...(fault.allowed ?? [])];
  return COMPONENTS.flatMap((of) =>
    unexpected(of, logs[of], allowed).map(
      ({ line, times }) => `${of} logs, ${times} times: ${line.slice(0, 300)}`,
    ),
  );
}
