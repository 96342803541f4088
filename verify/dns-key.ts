/**
 * Tries the key by which Stalwart will write into the DNS (lesson 2), from the namespace in which
 * it runs: a record is written, read at the server, and deleted, before anything depends on it. A
 * key that may only read passes every test but this one.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { Duplex } from "node:stream";

import type { DnsKey } from "../lib/dns/key.ts";
import { type DnsAnswer, question, readAnswer, signed, update } from "../lib/dns/message.ts";
import { UserError } from "../lib/errors.ts";

/** A key with its secret, in base64. */
export interface DnsKeyTrial extends DnsKey {
  secret: string;
}

/** Time for all of it, in milliseconds. */
const DEADLINE = 15_000;

/**
 * Writes, reads and deletes a record for each name.
 *
 * @param connect opens a connection to the server; its end without an answer is one that does not
 *   come about
 * @returns what was found, in a sentence
 * @throws UserError that says what the server answered, and what to do
 */
export async function tryDnsKey(connect: () => Duplex, trial: DnsKeyTrial): Promise<string> {
  const { host, port, keyName, names } = trial;
  const at = `${host}:${port}`;
  const pipe = connect();
  const timer = setTimeout(() => pipe.destroy(), DEADLINE);
  try {
    const ask = askOver(pipe);
    for (const name of names) await tryName(ask, trial, name, at);
    return `the DNS key "${keyName}" writes and deletes at ${at}: ${names.join(", ")}`;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const what = `the DNS server ${at} does not answer over TCP from Stalwart's namespace`;
    if (trial.protocol === "tcp") throw refusal(`${what}, so no certificate would be issued`);
    return `${what}; whether its key "${keyName}" can write is not known`;
  } finally {
    clearTimeout(timer);
    pipe.destroy();
  }
}

/** The connection has ended, or never stood. */
class NoAnswer extends Error {}

type Ask = (message: Buffer) => Promise<DnsAnswer>;

async function tryName(ask: Ask, trial: DnsKeyTrial, name: string, at: string): Promise<void> {
  const { keyName, algorithm } = trial;
  const secret = Buffer.from(trial.secret, "base64");
  const id = () => randomInt(0x10000);
  const { zone } = await ask(question(id(), name, "SOA"));
  if (zone === undefined) throw refusal(`the DNS server ${at} has no zone for ${name}`);
  const value = `tailwart-canary-${randomBytes(8).toString("hex")}`;
  const write = (remove: boolean) => {
    const message = update(id(), zone, name, value, remove);
    const now = Math.floor(Date.now() / 1000);
    return ask(signed(message, { name: keyName, algorithm, secret }, now));
  };
  const reads = async () => (await ask(question(id(), name, "TXT"))).texts.includes(value);
  const added = await write(false);
  if (added.code !== "NOERROR")
    throw refusal(`${at} refuses the key "${keyName}" for ${name}: ${why(added)}`);
  if (!(await reads()))
    throw refusal(`${at} took a record for ${name} by the key "${keyName}", and does not serve it`);
  const removed = await write(true);
  if (removed.code !== "NOERROR" || (await reads()))
    throw refusal(
      `${at} does not delete by the key "${keyName}": TXT ${name} "${value}" is left there (${why(removed)})`,
    );
}

const why = ({ code, signature }: DnsAnswer): string =>
  ({
    BADSIG: "its secret is another one (BADSIG)",
    // Knot says so of a key that it knows, too, where no rule lets it write.
    BADKEY: "it knows no key of that name, or none that may write there (BADKEY)",
    BADTIME: "its clock is another one (BADTIME)",
    REFUSED: "it may not write there (REFUSED)",
  })[signature ?? code] ?? [code, signature].filter(Boolean).join(", ");

const refusal = (what: string) =>
  new UserError(`${what} (lesson 2); Stalwart is left as it was`, {
    path: "tailwart:dnsSecret",
    hint: "Set the key's own secret: pulumi config set --secret tailwart:dnsSecret; tailwart:dnsProvider has its name and server",
  });

/** Messages over TCP, each after its length (RFC 1035 §4.2.2), one after another. */
function askOver(pipe: Duplex): Ask {
  let received = Buffer.alloc(0);
  let told: () => void = () => undefined;
  let ended = false;
  pipe.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    told();
  });
  for (const event of ["end", "close", "error"])
    pipe.on(event, () => {
      ended = true;
      told();
    });
  return async (message) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    if (!ended) pipe.write(Buffer.concat([length, message]));
    for (;;) {
      const end = received.length < 2 ? Infinity : 2 + received.readUInt16BE(0);
      if (received.length >= end) {
        const answer = readAnswer(received.subarray(2, end));
        received = received.subarray(end);
        if (answer.id === message.readUInt16BE(0)) return answer;
        continue;
      }
      if (ended) throw new NoAnswer();
      await new Promise<void>((resolve) => (told = resolve));
    }
  };
}
