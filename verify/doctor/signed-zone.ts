// A zone's signatures: what its parent says of its keys, and what each of its servers shows.
import { randomInt } from "node:crypto";
import { getServers } from "node:dns";
import { isIP } from "node:net";

import { exchangeOver } from "../../lib/dns/ask.ts";
import { authoritiesOf } from "../../lib/dns/authorities.ts";
import {
  type Delegation,
  readSignedAnswer,
  type SignedAnswer,
  signedQuestion,
  type SIGNED_TYPES,
  type Signature,
  type ZoneKey,
} from "../../lib/dns/dnssec.ts";
import { wordsOf } from "../../lib/errors.ts";
import { dial } from "../dial.ts";

/** Milliseconds for all that one server is asked. */
const PATIENCE = 3_000;

/** What one server of a zone shows of its signatures. */
export interface SignedAt {
  server: string;
  keys: readonly ZoneKey[];
  /** Over the zone's keys and its SOA record. */
  signatures: readonly Signature[];
}

/** A zone, and who vouches for it. */
export interface SignedZone {
  zone: string;
  /** The parent's records of type DS. */
  delegations: readonly Delegation[];
  /** Its servers that answer; whether they do is another row's. */
  servers: readonly SignedAt[];
}

type Ask = (name: string, type: keyof typeof SIGNED_TYPES) => Promise<SignedAnswer>;

/**
 * The zones that names are in, each once, by whoever this machine asks for names.
 *
 * @param resolvers in the place of this machine's
 * @throws Error when no resolver answers over TCP
 */
export async function zonesOf(names: readonly string[], resolvers = getServers()): Promise<string[]> {
  const found = await askFirst(resolvers, async (ask) => {
    const zones: string[] = [];
    for (const name of names) zones.push((await ask(name, "SOA")).zone ?? name);
    return zones;
  });
  return [...new Set(found)];
}

/**
 * Asks a resolver who vouches for a zone, and the zone's servers for the rest.
 *
 * @param named servers that are asked in the place of those that the DNS names
 * @param resolvers in the place of this machine's
 * @throws Error when no resolver answers over TCP
 */
export async function lookAtZone(
  zone: string,
  named: readonly string[],
  resolvers = getServers(),
): Promise<SignedZone> {
  const { delegations } = await askFirst(resolvers, (ask) => ask(zone, "DS"));
  const authorities = await authoritiesOf(zone, named).catch(() =>
    // Who they are is not told by a resolver that verifies, and finds the signatures wrong.
    resolvers.map((address) => ({ server: `the resolver ${address}`, address })),
  );
  const servers = await Promise.all(
    authorities.map(({ server, address }) =>
      asking(address, async (ask) => {
        const answers = [await ask(zone, "DNSKEY"), await ask(zone, "SOA")];
        const keys = answers.flatMap((answer) => answer.keys);
        return [{ server, keys, signatures: answers.flatMap(({ signatures }) => signatures) }];
      }).catch(() => []),
    ),
  );
  return { zone, delegations, servers: servers.flat() };
}

async function askFirst<R>(addresses: readonly string[], work: (ask: Ask) => Promise<R>): Promise<R> {
  let last: unknown = new Error("this machine asks nobody for names");
  for (const address of addresses.slice(0, 2))
    try {
      return await asking(address, work);
    } catch (error) {
      last = new Error(`the resolver ${address} gives no answer over TCP: ${wordsOf(error)}`);
    }
  throw last;
}

/** One connection, for as long as the work takes. */
async function asking<R>(address: string, work: (ask: Ask) => Promise<R>): Promise<R> {
  const line = dial(...placeOf(address));
  const timer = setTimeout(() => line.destroy(new Error(`none within ${PATIENCE / 1000} s`)), PATIENCE);
  const exchange = exchangeOver(line, readSignedAnswer);
  try {
    return await work(async (name, type) => {
      const answer = await exchange(signedQuestion(randomInt(0x10000), name, type));
      if (answer.code === "NOERROR" || answer.code === "NXDOMAIN") return answer;
      throw new Error(`${answer.code} to ${type} of ${name}`);
    });
  } finally {
    clearTimeout(timer);
    line.destroy();
  }
}

/** @param address as `dns.getServers` and `Resolver.setServers` have it */
function placeOf(address: string): [host: string, port: number] {
  if (isIP(address)) return [address, 53];
  const [, host = address, port = "53"] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(address) ?? [];
  return [host, Number(port)];
}
