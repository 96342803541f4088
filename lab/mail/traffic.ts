// Mail traffic from the lab's outside world: `node lab/mail/traffic.ts`, its order as the first
// line of stdin, in JSON, the ledger on stdout, a line an attempt. It ends when every message is
// taken or refused for good, at its deadline, or when stdin is closed: so it does not outlive who
// has asked.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type Attempt,
  isRefusedForGood,
  isTaken,
  messageIdOf,
  RECIPIENTS,
  SENDERS,
  type Way,
} from "./ledger.ts";
import { SmtpSession, type SmtpServer } from "./smtp-session.ts";

export interface TrafficOrder {
  /** Begins each message's id; letters and digits. */
  run: string;
  /** How many messages; at most 20,000. */
  count: number;
  perSecond: number;
  /** Seconds after which it gives up, whatever is left; at most 3600. */
  deadline: number;
  in: SmtpServer & { to: string };
  out: SmtpServer & { from: string };
  /** Addresses of this machine that the sessions come from, one each. */
  addresses: string[];
}

/** Every fourth message goes out. */
const OUT_OF = 4;
/** What a session carries before it says goodbye, and how long it stays open without a message. */
const PER_SESSION = 4;
const IDLE = 5_000;
/** An MTA waits minutes; what is measured here is seconds. The last one is repeated. */
const BACK_OFF = [1_000, 1_000, 2_000, 4_000, 5_000];

const input = createInterface({ input: process.stdin });
const [line] = (await once(input, "line")) as [string];
const order = JSON.parse(line) as TrafficOrder;
check(order);
input.once("close", () => process.exit(0));

interface Waiting {
  id: string;
  way: Way;
  attempt: number;
  due: number;
}

const start = Date.now();
const end = start + order.deadline * 1000;
const waiting: Waiting[] = Array.from({ length: order.count }, (_, n) => ({
  id: `${order.run}-${String(n + 1).padStart(5, "0")}`,
  way: (n + 1) % OUT_OF === 0 ? "out" : "in",
  attempt: 1,
  due: start + (n * 1000) / order.perSecond,
}));
let open = waiting.length;

/** The next message of a way that is due, or of any. */
function next(way?: Way): Waiting | undefined {
  const now = Date.now();
  const index = waiting.findIndex((each) => each.due <= now && (way === undefined || each.way === way));
  return index < 0 ? undefined : waiting.splice(index, 1)[0];
}

/** Waits until there is one, while the session may stay open. */
async function another(way: Way): Promise<Waiting | undefined> {
  for (const until = Date.now() + IDLE; Date.now() < until && open > 0; await sleep(50)) {
    const found = next(way);
    if (found) return found;
    // Another way's is due, and all other sessions may be busy.
    if (waiting.some(({ due }) => due < Date.now() - 500)) return undefined;
  }
  return undefined;
}

function note(message: Waiting, attempt: Omit<Attempt, "id" | "way" | "attempt" | "ended">): void {
  const { id, way } = message;
  const entry: Attempt = { id, way, attempt: message.attempt, ...attempt, ended: Date.now() };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
  if (isTaken(entry) || isRefusedForGood(entry)) {
    open--;
    return;
  }
  const wait = BACK_OFF[Math.min(message.attempt, BACK_OFF.length) - 1] ?? 0;
  waiting.push({ ...message, attempt: message.attempt + 1, due: Date.now() + wait });
}

async function worker(from: string): Promise<void> {
  while (open > 0 && Date.now() < end) {
    const first = next();
    if (first) await session(from, first);
    else await sleep(50);
  }
}

async function session(from: string, first: Waiting): Promise<void> {
  const { way } = first;
  const server = order[way];
  let message: Waiting | undefined = first;
  let began = Date.now();
  const smtp = new SmtpSession(server, from);
  try {
    const refusal = await smtp.begin(server.auth);
    if (refusal) return note(first, { from, began, stage: smtp.stage, ...refusal });
    while (message) {
      const reply = await smtp.send(mailOf(message));
      note(message, { from, began, stage: smtp.stage, ...reply });
      message = undefined;
      if (smtp.sent >= PER_SESSION || reply.code === 421) return;
      message = await another(way);
      began = Date.now();
    }
  } catch (error) {
    if (!message) return;
    const { stage } = smtp;
    // A session that was cut while nobody spoke is opened anew, as an MTA does.
    if (smtp.sent > 0 && stage === "mail") return void waiting.unshift(message);
    const doubt = stage === "body" ? ({ inDoubt: true } as const) : {};
    note(message, { from, began, stage, error: (error as Error).message, ...doubt });
  } finally {
    smtp.close();
  }
}

function mailOf({ id, way }: Waiting) {
  const from = way === "in" ? `someone@${id}.${SENDERS}` : order.out.from;
  const to = way === "in" ? order.in.to : `friend@${id}.${RECIPIENTS}`;
  const headers = {
    From: from,
    To: to,
    Date: new Date().toUTCString().replace("GMT", "+0000"),
    "Message-ID": `<${messageIdOf(id)}>`,
    Subject: `ledger ${id}`,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return { from, to, text: [...lines, "", "Nobody reads this."].join("\r\n") };
}

function check({ run, count, perSecond, deadline, addresses, in: into, out }: TrafficOrder): void {
  const lab = /^(203\.0\.113\.\d+|127\.0\.0\.1|[a-z0-9.-]+\.test)$/;
  const wrong =
    !/^[a-z0-9]+$/.test(run) ||
    !(count > 0 && count <= 20_000 && perSecond > 0 && perSecond <= 50 && deadline <= 3600) ||
    !(addresses.length > 0 && addresses.length <= 100) ||
    ![into.host, out.host, ...addresses].every((host) => lab.test(host));
  if (!wrong) return;
  console.error("an order is bounded in count and time, and stays in the lab: see TrafficOrder");
  process.exit(2);
}

await Promise.all(order.addresses.map(worker));
process.exit(0);
