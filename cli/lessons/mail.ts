// A message, and what became of it: which addresses Stalwart has dialled, and where it lies.
import { randomUUID } from "node:crypto";

import { send } from "../../lab/mail/outside.ts";
import { receivedMessages } from "../../lab/smarthost.ts";
import { registryQueue } from "../../provider/registry/queue.ts";
import { accountPassword, submission } from "../parts/mail-round-trip.ts";
import { labServer } from "../parts/stalwart-server.ts";
import type { Bench } from "./bench.ts";

/** Where mail for elsewhere goes: all of it lies at the smarthost in the end. */
const ELSEWHERE = "elsewhere.test";

/** One address that Stalwart has dialled, by its own log. */
export interface Attempt {
  host: string;
  address: string;
  port: number;
  /** The system's words, with its errno; undefined where the connection stood. */
  error?: string;
  ms: number;
}

/** What became of a message. */
export interface Fate {
  attempts: Attempt[];
  /** Seconds until it was at the smarthost, and the address that brought it. */
  arrived?: { after: number; from: string };
  /** What Stalwart's queue tells of it, where it waits there. */
  queued?: string;
}

/** The queue of the lab's Stalwart. */
function queueOf({ lab }: Bench) {
  const { isRegistry, keys, rows } = labServer(lab);
  return isRegistry ? registryQueue(rows) : keys;
}

const passwords = new WeakMap<Bench, Promise<string>>();

/**
 * Hands a message in at the edge's port 465, and waits until it has arrived or its first attempt
 * has ended. What has not arrived is taken out of the queue again.
 *
 * @param domain the recipient's
 * @param patience seconds; the kernel gives an address up after some 20
 */
export async function sendOut(bench: Bench, domain = ELSEWHERE, patience = 60): Promise<Fate> {
  const { lab } = bench;
  if (!passwords.has(bench)) passwords.set(bench, accountPassword(lab, "alice"));
  const pass = (await passwords.get(bench)) ?? "";
  const id = randomUUID();
  const [to, subject] = [`${id}@${domain}`, `lesson ${id}`];
  const start = performance.now();
  await send(lab.layout, { ...submission(lab, pass), to, subject, body: "hello" });
  try {
    return await fateOf(bench, { to, subject, start }, patience);
  } finally {
    // The next one is alone in the queue.
    await queueOf(bench).discard(domain);
  }
}

interface Sent {
  to: string;
  subject: string;
  /** By performance.now(). */
  start: number;
}

async function fateOf(bench: Bench, { to, subject, start }: Sent, patience: number): Promise<Fate> {
  const { lab } = bench;
  const fate: Fate = { attempts: [] };
  await bench.within(patience, async () => {
    const all = receivedMessages(lab.layout);
    const arrived = all.find((message) => message.includes(`Subject: ${subject}`));
    const by = arrived && /^Received: from [^[]*\[([\d.]+)\]/m.exec(arrived)?.[1];
    const after = Math.round((performance.now() - start) / 100) / 10;
    if (by !== undefined) fate.arrived = { after, from: by };
    const lines = (await stalwartLog(bench)).filter((line) => line.includes(to));
    fate.attempts = lines.flatMap(attemptIn);
    if (by !== undefined) return true;
    // Once it is connected to, what comes is the message.
    return fate.attempts.at(-1)?.error !== undefined && lines.some(endsAttempt);
  });
  if (!fate.arrived) {
    const items = await queueOf(bench).queued(to.split("@")[1] ?? "");
    const own = items.find((item) => labServer(lab).isRegistry || item.includes(to));
    const words = own && (/"temp_fail":"([^"]*)"/.exec(own)?.[1] ?? own);
    if (words !== undefined) fate.queued = words;
  }
  return fate;
}

const endsAttempt = (line: string) => line.includes("(delivery.attempt-end)");

/** Stalwart's log, of its present container. @param since as docker has it */
export async function stalwartLog(bench: Bench, since = "10m"): Promise<string[]> {
  const text = await bench.docker("kvm", "logs", "--since", since, bench.container("stalwart"));
  return text.split("\n");
}

/** Reads the line of a connection that stood or failed. @example attemptIn(line)[0]?.port === 25 */
export function attemptIn(line: string): Attempt[] {
  const event = /\(delivery\.(connect|connect-error)\)/.exec(line)?.[1];
  const text = (field: string) => new RegExp(`\\b${field} = "([^"]*)"`).exec(line)?.[1];
  const bare = (field: string) => new RegExp(`\\b${field} = ([^\\s,]+)`).exec(line)?.[1] ?? "";
  if (event === undefined) return [];
  return [
    {
      host: text("hostname") ?? "",
      address: bare("remoteIp"),
      port: Number(bare("remotePort")),
      ...(event === "connect-error" && { error: text("reason") ?? text("details") ?? "unknown" }),
      ms: Number.parseInt(bare("elapsed"), 10),
    },
  ];
}

/** @example "mx.example.org 192.0.2.1:25: Connection timed out (os error 110) after 15021 ms" */
export const describeAttempts = (attempts: readonly Attempt[]): string =>
  attempts.length === 0
    ? "nobody dialled"
    : attempts
        .map(({ host, address, port, error, ms }) => {
          const at = address.includes(":") ? `[${address}]:${port} (IPv6)` : `${address}:${port} (IPv4)`;
          return `${host} ${at}: ${error ?? "connected"} after ${ms} ms`;
        })
        .join("; ");

/** Where a message is, in words. */
export function describeFate({ attempts, arrived, queued }: Fate): string {
  const end = arrived
    ? `at the smarthost after ${arrived.after} s, brought by ${arrived.from}`
    : `not at the smarthost; the queue: ${queued ?? "empty"}`;
  return `${describeAttempts(attempts)}; ${end}`;
}

/**
 * What a namespace without IPv6 answers: ENETUNREACH where there is no route, EADDRNOTAVAIL where
 * IPv6 is turned off, as Docker does in a network without it.
 */
export const NO_IPV6: ReadonlySet<number | undefined> = new Set([101, 99]);
/** Whether the system's words are one of those. */
export const saysNoIpv6 = (words = ""): boolean => /\(os error (101|99)\)/.test(words);
