/**
 * deSEC's API (https://desec.readthedocs.io/en/latest/dns/rrsets.html): it has whole sets, and one
 * PATCH changes all that change in a zone at one moment, or none of them.
 */
import { type SetChange, setOf } from "../../lib/dns/record-sets.ts";
import { partsOf, type RecordType, TYPE_NUMBERS } from "../../lib/dns/record-data.ts";
import { nearest } from "../../lib/domain-names.ts";
import { dataOf, textOf } from "../../lib/dns/writers/presentation.ts";
import { HttpApi } from "./http-api.ts";
import { type ZoneApi, type ZoneRecord } from "./http-writer.ts";

/** Where records are written; not by which token. */
export interface DesecAt {
  /** @default https://desec.io/api/v1 */
  url?: string;
}

interface Rrset {
  subname: string;
  type: string;
  records: string[];
}

/** Seconds that a record may be remembered, where the domain takes so few. */
const TTL = 300;

export class Desec implements ZoneApi {
  readonly where = "deSEC";
  readonly #api: HttpApi;
  /** Name → the least TTL that it takes. */
  #domains: Promise<Map<string, number>> | undefined;

  constructor({ url = "https://desec.io/api/v1" }: DesecAt, secret: string) {
    this.#api = new HttpApi({
      where: this.where,
      url,
      headers: (token) => ({ authorization: `Token ${token}` }),
      secret,
      scopes: "write the RRsets of the domains",
    });
  }

  async zoneOf(name: string): Promise<string | undefined> {
    return nearest(name, await this.#known());
  }

  async list(zone: string): Promise<ZoneRecord[]> {
    const sets = await this.#all<Rrset>(`/domains/${zone}/rrsets/`);
    return sets.flatMap(({ subname, type, records }) =>
      type in TYPE_NUMBERS
        ? records.map((record) => ({
            key: `${subname === "" ? zone : `${subname}.${zone}`} ${type}`,
            value: valueIn(type as RecordType, record),
            id: record,
          }))
        : [],
    );
  }

  async change(zone: string, changes: readonly SetChange[], there: readonly ZoneRecord[]): Promise<void> {
    const least = (await this.#known()).get(zone) ?? TTL;
    const sets = changes.map(({ key, remove, add }) => {
      const { name, type } = setOf(key);
      const before = there.filter((record) => record.key === key);
      // Other people's as they have written them.
      const stays = before.filter(({ value }) => !remove.includes(value)).map(({ id }) => id);
      return {
        subname: name.slice(0, -zone.length - 1),
        type,
        // And remembered for as long as they want.
        ...(before.length === 0 && { ttl: Math.max(TTL, least) }),
        records: [...stays, ...add.map((value) => dataOf(partsOf(type, value)))],
      };
    });
    await this.#api.ask("PATCH", `/domains/${zone}/rrsets/`, sets);
  }

  #known(): Promise<Map<string, number>> {
    const domains = () => this.#all<{ name: string; minimum_ttl: number }>("/domains/");
    return (this.#domains ??= domains().then(
      (all) => new Map(all.map(({ name, minimum_ttl: least }) => [name, least])),
    ));
  }

  async #all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    // Its own address of the next page may be elsewhere, and the token goes nowhere else.
    for (let query: string | undefined = "?cursor="; query !== undefined;) {
      const { headers, body } = await this.#api.ask("GET", path + query);
      items.push(...(body as Item[]));
      const [, next] = /<([^>]*)>; *rel="next"/.exec(headers.get("link") ?? "") ?? [];
      query = next === undefined ? undefined : new URL(next).search;
    }
    return items;
  }
}

/** Names in lower case, as sets have them. */
function valueIn(type: RecordType, record: string): string {
  if (type === "TXT") return textOf(record);
  return type === "CAA" ? record : record.toLowerCase();
}
