/**
 * Tries the key by which Stalwart will write into the DNS (lesson 2), from the namespace in which
 * it runs: a record is written, read at the server, and deleted, before anything depends on it. A
 * key that may only read passes every test but this one.
 */
import type { Duplex } from "node:stream";

import type { DnsKey } from "../lib/dns/key.ts";
import type { DnsAnswer } from "../lib/dns/message.ts";
import { UserError } from "../lib/errors.ts";
import { askOver, NoAnswer } from "../lib/dns/ask.ts";
import { type Canary, writeCanary } from "./dns-canary.ts";

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
    const key = { name: keyName, algorithm: trial.algorithm, secret: Buffer.from(trial.secret, "base64") };
    const ask = askOver(pipe);
    for (const name of names) refuseBad(await writeCanary(ask, key, name), keyName, name, at);
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

/** @throws UserError where the key is not good for the name */
function refuseBad(canary: Canary, keyName: string, name: string, at: string): void {
  const { value, found, added, isServed, removed, isLeft } = canary;
  if (found.zone === undefined) throw refusal(`the DNS server ${at} has no zone for ${name}`);
  if (added && added.code !== "NOERROR")
    throw refusal(`${at} refuses the key "${keyName}" for ${name}: ${why(added)}`);
  if (removed && isLeft)
    throw refusal(
      `${at} does not delete by the key "${keyName}": TXT ${name} "${value}" is left there (${why(removed)})`,
    );
  if (!isServed)
    throw refusal(`${at} took a record for ${name} by the key "${keyName}", and does not serve it`);
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
