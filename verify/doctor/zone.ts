// What is published, as each of a zone's own servers tells it: a cache may have what was, and one
// server of several what the others have not.
import { Resolver } from "node:dns/promises";

import { type Answer, answerOf, answersAt, resolverAt } from "../../lib/dns/answers.ts";
import { type Authority, authoritiesOf, noneOrThrow } from "../../lib/dns/authorities.ts";
import { upwards } from "../../lib/domain-names.ts";
import type { RecordType } from "../../lib/dns/record-data.ts";

/** Milliseconds for one question, each try: the doctor has seconds for all of them. */
const LIMITS = { timeout: 2_000, tries: 2 };

/** Asks a zone's servers, and whoever this machine asks for names. */
export class ZoneReader {
  readonly #own = new Resolver(LIMITS);
  readonly #servers: readonly string[];
  readonly #authorities = new Map<string, Promise<Authority[]>>();

  /** @param servers asked in the place of those that the DNS names, as `host:port` */
  constructor(servers: readonly string[]) {
    this.#servers = servers;
  }

  /** What each server of the zone says. @throws Error when nobody says who they are */
  async published(name: string, type: RecordType): Promise<Answer[]> {
    return answersAt(await this.#authoritiesOf(name), name, type, LIMITS);
  }

  /** What this machine's own resolver says, which may be what was. */
  cached(name: string, type: RecordType): Promise<Answer> {
    return answerOf(this.#own, "this machine's resolver", name, type);
  }

  /** Each server of the zone that holds a name, with the zone's serial, or why it tells none. */
  async serials(name: string): Promise<string[]> {
    const authorities = await this.#authoritiesOf(name);
    return Promise.all(
      authorities.map(
        async (authority) => `${authority.server} ${await serialAt(resolverAt(authority, LIMITS), name)}`,
      ),
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
}

async function serialAt(resolver: Resolver, name: string): Promise<string> {
  // A name below the zone's own has none.
  for (const at of upwards(name).slice(0, -1))
    try {
      const soa = await resolver.resolveSoa(at).catch(noneOrThrow);
      if ("serial" in soa) return String(soa.serial);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      return code === "ETIMEOUT" ? "does not answer" : `answers with ${code}`;
    }
  return "has no zone";
}
