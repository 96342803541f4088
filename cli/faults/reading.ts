/** Where the messages of a run lie, read when it is over. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { idsIn, messageIdOf } from "../../lab/mail/ledger.ts";
import { listMessages } from "../../lab/mail/outside.ts";
import { smarthostMaildir } from "../../lab/smarthost.ts";
import { wordsOf } from "../../lib/errors.ts";
import type { Found } from "./judge.ts";
import type { World } from "./world.ts";

/** The run's messages that wait in Stalwart's queue. */
export async function queueOf(world: World, run: string): Promise<Set<string>> {
  return new Set((await world.queued()).flatMap((text) => idsIn(text, run)));
}

/**
 * The run's messages in alice's mailboxes, and those that came back to her.
 *
 * @param remove takes them away
 */
export async function mailboxOf(
  world: World,
  run: string,
  remove = false,
): Promise<Pick<Found, "mailbox" | "bounced">> {
  const { layout, lab, password } = world;
  const server = { host: lab.facts.mailHost, port: 993, user: "alice", pass: password };
  const { found, bounced } = await listMessages(layout, { ...server, prefix: `${run}-`, remove });
  const ids = (texts: readonly string[]) => texts.flatMap((text) => idsIn(text, run));
  return { mailbox: countsOf(ids(found)), bounced: new Set(ids(bounced)) };
}

/** Copies of each of the run's messages in the smarthost's maildir, read anew each time. */
export function smarthostOf({ layout }: World, run: string): Map<string, number> {
  const folder = smarthostMaildir(layout);
  const headers = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, "utf8").slice(0, 4096));
  const isOurs = new RegExp(`^Message-ID: <${messageIdOf(`${run}-\\d+`)}>`, "im");
  return countsOf(headers.flatMap((text) => idsIn(isOurs.exec(text)?.[0] ?? "", run)));
}

function countsOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

export interface Drained extends Found {
  /** When nothing of the run was in the queue any more; undefined when something still is. */
  emptyAt?: number;
}

/**
 * Waits until nothing of the run is in the queue, and reads where all of it lies. Stalwart takes a
 * message out of the queue when it lies where it belongs, so that what is not found then is lost.
 *
 * @param patience how long to wait for the queue. Seconds
 * @param tell what is waited for, each time that it changes
 */
export async function drain(
  world: World,
  run: string,
  patience: number,
  tell: (line: string) => void,
): Promise<Drained> {
  let queue = new Set<string>();
  let before = -1;
  for (const end = Date.now() + patience * 1000; ; await sleep(1_000)) {
    // While the server starts over nobody can be asked.
    const asked = await queueOf(world, run).catch((error: unknown) => wordsOf(error));
    if (typeof asked !== "string") {
      queue = asked;
      if (queue.size !== before) tell(`${queue.size} in the queue`);
      before = queue.size;
      if (queue.size === 0) break;
    }
    if (Date.now() > end) break;
  }
  const emptyAt = Date.now();
  const inMailbox = await mailboxOf(world, run);
  return { ...inMailbox, smarthost: smarthostOf(world, run), queue, ...(queue.size === 0 && { emptyAt }) };
}
