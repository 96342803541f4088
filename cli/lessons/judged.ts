// What a receiver out there says of a message that the stack sends to it.
import { randomUUID } from "node:crypto";

import { send } from "../../lab/mail/outside.ts";
import { type Judgement, judgementOf, messageWith, RECEIVER_DOMAIN, saidOf } from "../../lab/receiver.ts";
import { accountPassword, submission } from "../parts/mail-round-trip.ts";
import type { Bench } from "./bench.ts";

/** How long a message may take, and a server that has started over. Seconds. */
const PATIENCE = 60;

/** What the receiver says of a message: by method, and in its own words. */
export interface Judged {
  /** A word that is in this message alone. */
  id: string;
  judgement: Judgement;
  words: string;
}

/** Sends a message to the receiver, and tells what it says: nothing where it never comes. */
export async function judged(bench: Bench): Promise<Judged> {
  const { lab } = bench;
  const id = randomUUID();
  const message = { to: `${id}@${RECEIVER_DOMAIN}`, subject: `lesson ${id}`, body: "hello" };
  const at = submission(lab, await accountPassword(lab, "alice"));
  // A deploy that brings a key starts Stalwart over: mail programs try again.
  await bench.within(PATIENCE, () => send(lab.layout, { ...at, ...message }).then(() => true));
  return judgedIn(bench, id);
}

/** Forwards a message that the receiver has, to it, from an address that no SPF record names. */
export async function judgedForwarded(bench: Bench, { id }: Judged): Promise<Judged> {
  const { layout, facts } = bench.lab;
  const [raw = "", again] = [messageWith(layout, id), randomUUID()];
  const [host, to] = [layout.machines.outside.address, `${again}@${RECEIVER_DOMAIN}`];
  const order = { host, port: 25, secure: false, from: `alice@${facts.mailDomain}`, to };
  await send(layout, { ...order, subject: "", body: "", raw });
  return judgedIn(bench, again);
}

async function judgedIn(bench: Bench, id: string): Promise<Judged> {
  const { layout } = bench.lab;
  await bench.within(PATIENCE, () => Promise.resolve(judgementOf(layout, id) !== undefined));
  const words = saidOf(layout, id)?.join("; ") ?? "nothing";
  return { id, judgement: judgementOf(layout, id) ?? {}, words };
}
