/**
 * A domain's own servers: whoever asks them has no cache in between, which would show for hours
 * what was there before.
 */
import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";

import { wordsOf } from "../errors.ts";
import { upwards } from "../domain-names.ts";

/** One address of a server that has a zone. */
export interface Authority {
  /** Its name, or the address where it has none. */
  server: string;
  /** As `Resolver.setServers` takes it. */
  address: string;
}

/** Milliseconds for one question. */
const PATIENCE = { timeout: 3_000, tries: 2 };

/** "There is none" is an answer; all else is none. For the `catch` of a question. */
export function noneOrThrow(error: unknown): never[] {
  const { code } = error as { code?: string };
  if (code === "ENODATA" || code === "ENOTFOUND") return [];
  throw error;
}

/**
 * The servers of the zone that holds a name.
 *
 * @param named `host` or `host:port`, asked in the place of those that the DNS names
 * @throws Error when nobody says who they are
 */
export async function authoritiesOf(name: string, named: readonly string[] = []): Promise<Authority[]> {
  if (named.length > 0) return (await Promise.all(named.map(addressesOf))).flat();
  const resolver = new Resolver(PATIENCE);
  for (const at of upwards(name).slice(0, -1)) {
    const asked = resolver.resolveNs(at).catch(noneOrThrow);
    const servers = await asked.catch((error: unknown) => {
      throw new Error(`who has the zone of ${name} is not known: ${wordsOf(error)}`, { cause: error });
    });
    if (servers.length > 0) return (await Promise.all(servers.toSorted().map(addressesOf))).flat();
  }
  throw new Error(`nobody has a zone for ${name}: the DNS names no server of it`);
}

async function addressesOf(server: string): Promise<Authority[]> {
  const [, host = server, port = "53"] = /^(.*):(\d{1,5})$/.exec(server) ?? [];
  const bracketed = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);
  if (isIP(host)) return [{ server, address: `${bracketed(host)}:${port}` }];
  // IPv4 alone: where there is no IPv6, an address of it would look like a server that is down.
  const found = await lookup(host, { all: true, family: 4 });
  return found.map(({ address }) => ({ server, address: `${address}:${port}` }));
}
