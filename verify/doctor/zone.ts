// What is published, as each of a zone's own servers tells it: a cache may have what was, and one
// server of several what the others have not.
import { Resolver } from "node:dns/promises";

import { type Authority, authoritiesOf } from "../../lib/dns/authorities.ts";
import type { RecordType } from "../../lib/dns/record-data.ts";
import { absolute } from "../../lib/dns/record.ts";

/** What one server says of a name. */
export interface Answer {
  server: string;
  /** The records' values as {@link valueOf} writes them; undefined where it did not answer. */
  values: string[] | undefined;
}

/** Milliseconds for one question, each try. */
const LIMITS = { timeout: 2_000, tries: 2 };

/** Asks a zone's servers, and whoever this machine asks for names. */
export class ZoneReader {
  readonly #own = new Resolver(LIMITS);
  readonly #servers: readonly string[];
  readonly #authorities = new Map<string, Promise<Authority[]>>();
  readonly #resolvers = new Map<string, Resolver>();

  /** @param servers asked in the place of those that the DNS names, as `host:port` */
  constructor(servers: readonly string[]) {
    this.#servers = servers;
  }

  /** What each server of the zone says. @throws Error when nobody says who they are */
  async published(name: string, type: RecordType | "AAAA"): Promise<Answer[]> {
    const authorities = await this.#authoritiesOf(name);
    return Promise.all(
      authorities.map(({ server, address }) => answerOf(this.#at(address), server, name, type)),
    );
  }

  /** What this machine's own resolver says, which may be what was. */
  cached(name: string, type: RecordType): Promise<Answer> {
    return answerOf(this.#own, "this machine's resolver", name, type);
  }

  /** Each server of the zone that holds a name, with the zone's serial, or why it tells none. */
  async serials(name: string): Promise<string[]> {
    const authorities = await this.#authoritiesOf(name);
    return Promise.all(
      authorities.map(async ({ server, address }) => `${server} ${await serialAt(this.#at(address), name)}`),
    );
  }

  /** The names of an address. */
  async namesOf(address: string): Promise<string[]> {
    const names = await this.#own.reverse(address).catch(noneOrThrow);
    return names.map((name) => name.toLowerCase());
  }

  #authoritiesOf(name: string): Promise<Authority[]> {
    const known = this.#authorities.get(name) ?? authoritiesOf(name, this.#servers);
    this.#authorities.set(name, known);
    return known;
  }

  #at(address: string): Resolver {
    const known = this.#resolvers.get(address);
    if (known) return known;
    const resolver = new Resolver(LIMITS);
    resolver.setServers([address]);
    this.#resolvers.set(address, resolver);
    return resolver;
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

/** "There is none" is an answer; everything else is none. */
function noneOrThrow(error: unknown): never[] {
  if (["ENODATA", "ENOTFOUND"].includes(codeOf(error))) return [];
  throw error;
}

async function serialAt(resolver: Resolver, name: string): Promise<string> {
  for (let at = name; at.includes("."); at = at.slice(at.indexOf(".") + 1))
    try {
      return String((await resolver.resolveSoa(at)).serial);
    } catch (error) {
      const code = codeOf(error);
      // A name below the zone's own.
      if (code !== "ENODATA" && code !== "ENOTFOUND")
        return code === "ETIMEOUT" ? "does not answer" : `answers with ${code}`;
    }
  return "has no zone";
}

async function answerOf(
  resolver: Resolver,
  server: string,
  name: string,
  type: RecordType | "AAAA",
): Promise<Answer> {
  const values = await valuesOf(resolver, name, type)
    .catch(noneOrThrow)
    .catch(() => undefined);
  return { server, values };
}

async function valuesOf(resolver: Resolver, name: string, type: RecordType | "AAAA"): Promise<string[]> {
  const lower = (host: string) => absolute(host.toLowerCase());
  if (type === "A") return resolver.resolve4(name);
  if (type === "AAAA") return resolver.resolve6(name);
  if (type === "TXT") return (await resolver.resolveTxt(name)).map((strings) => strings.join(""));
  if (type === "MX")
    return (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${lower(exchange)}`);
  if (type === "SRV")
    return (await resolver.resolveSrv(name)).map(
      ({ priority, weight, port, name: target }) => `${priority} ${weight} ${port} ${lower(target)}`,
    );
  // Only what is ours to say: `issue` and `issuewild`.
  return (await resolver.resolveCaa(name)).flatMap((record) =>
    (["issue", "issuewild"] as const).flatMap((tag) =>
      record[tag] === undefined ? [] : [`${record.critical} ${tag} ${JSON.stringify(record[tag])}`],
    ),
  );
}
