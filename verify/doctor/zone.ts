// What is published, as each of a zone's own servers tells it: a cache may have what was, and one
// server of several what the others have not.
import { Resolver } from "node:dns/promises";

import type { RecordData } from "../../lib/dns/record.ts";

export type RecordType = RecordData["type"] | "AAAA";

/** What one server says of a name. */
export interface Answer {
  /** The server's own name. */
  server: string;
  /** The records' data as {@link dataOf} writes it; undefined where the server did not answer. */
  data: string[] | undefined;
  /** Why there was no answer. */
  trouble: string;
}

/** A zone's servers. */
export interface Zone {
  name: string;
  servers: { name: string; address: string }[];
}

/** Milliseconds for one question, each try. */
const TIMEOUT = 2_000;

/** Asks a zone's servers, and whoever this machine asks for names. */
export class ZoneReader {
  readonly #resolver = new Resolver({ timeout: TIMEOUT, tries: 2 });
  readonly #zones = new Map<string, Promise<Zone>>();
  readonly #servers = new Map<string, Resolver>();

  /**
   * The zone that holds a name, and its servers.
   *
   * @throws Error when no zone above the name tells its servers
   */
  zoneOf(name: string): Promise<Zone> {
    const known = this.#zones.get(name) ?? this.#find(name);
    this.#zones.set(name, known);
    return known;
  }

  /** What each server of the zone says. @throws Error when the zone is not found */
  async published(name: string, type: RecordType): Promise<Answer[]> {
    const { servers } = await this.zoneOf(name);
    return Promise.all(servers.map(({ name: server, address }) => this.#ask(server, address, name, type)));
  }

  /** What this machine's own resolver says, which may be what was. */
  cached(name: string, type: RecordType): Promise<Answer> {
    return ask(this.#resolver, "this machine's resolver", name, type);
  }

  /** Each server's name and its zone's serial, or why it tells none. */
  serials({ name, servers }: Zone): Promise<string[]> {
    return Promise.all(
      servers.map(async ({ name: server, address }) => {
        if (address === "") return `${server} has no IPv4 address`;
        const soa = await this.#at(address).resolveSoa(name).catch(troubleOf);
        return `${server} ${typeof soa === "string" ? soa : soa.serial}`;
      }),
    );
  }

  /** The names of an address. */
  async namesOf(address: string): Promise<string[]> {
    const names = await this.#resolver.reverse(address).catch(noneOrThrow);
    return names.map((name) => name.toLowerCase());
  }

  async #find(name: string): Promise<Zone> {
    const servers = await this.#resolver.resolveNs(name).catch(noneOrThrow);
    if (servers.length === 0) {
      const above = name.slice(name.indexOf(".") + 1);
      if (above === name) throw new Error(`no zone holds ${name}`);
      return this.zoneOf(above);
    }
    const found = servers.toSorted().map(async (server) => {
      const [address] = await this.#resolver.resolve4(server).catch(() => []);
      return { name: server, address: address ?? "" };
    });
    return { name, servers: await Promise.all(found) };
  }

  #ask(server: string, address: string, name: string, type: RecordType): Promise<Answer> {
    if (address === "") return Promise.resolve({ server, data: undefined, trouble: "has no IPv4 address" });
    return ask(this.#at(address), server, name, type);
  }

  #at(address: string): Resolver {
    const known = this.#servers.get(address);
    if (known) return known;
    const resolver = new Resolver({ timeout: TIMEOUT, tries: 2 });
    resolver.setServers([address]);
    this.#servers.set(address, resolver);
    return resolver;
  }
}

/** "There is none" is an answer; everything else is none. */
function noneOrThrow(error: unknown): never[] {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENODATA" || code === "ENOTFOUND") return [];
  throw error;
}

function troubleOf(error: unknown): string {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return code === "ETIMEOUT" ? "does not answer" : `answers with ${code}`;
}

async function ask(resolver: Resolver, server: string, name: string, type: RecordType): Promise<Answer> {
  try {
    return { server, data: await query(resolver, name, type).catch(noneOrThrow), trouble: "" };
  } catch (error) {
    return { server, data: undefined, trouble: troubleOf(error) };
  }
}

async function query(resolver: Resolver, name: string, type: RecordType): Promise<string[]> {
  if (type === "A") return resolver.resolve4(name);
  if (type === "AAAA") return resolver.resolve6(name);
  if (type === "TXT") return (await resolver.resolveTxt(name)).map((strings) => strings.join(""));
  if (type === "MX")
    return (await resolver.resolveMx(name)).map(({ priority, exchange }) =>
      dataOf({ type, preference: priority, exchange }),
    );
  if (type === "SRV")
    return (await resolver.resolveSrv(name)).map(({ priority, weight, port, name: target }) =>
      dataOf({ type, priority, weight, port, target }),
    );
  // Only what is ours to say: `issue` and `issuewild`.
  return (await resolver.resolveCaa(name)).flatMap(({ issue, issuewild }) => [
    ...(issue === undefined ? [] : [dataOf({ type, flags: 0, tag: "issue", value: issue })]),
    ...(issuewild === undefined ? [] : [dataOf({ type, flags: 0, tag: "issuewild", value: issuewild })]),
  ]);
}

/** A record's data in one line, as a zone file has it. @example "10 mail.example.org" */
export function dataOf(record: RecordData): string {
  switch (record.type) {
    case "A":
      return record.address;
    case "MX":
      return `${record.preference} ${record.exchange.toLowerCase()}`;
    case "SRV":
      return `${record.priority} ${record.weight} ${record.port} ${record.target.toLowerCase() || "."}`;
    case "TXT":
      return record.text;
    case "CAA":
      return `${record.tag} ${JSON.stringify(record.value)}`;
  }
}
