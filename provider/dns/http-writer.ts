/** Records over a provider's HTTP API, in sets, whatever the API itself is made of. */
import { type RecordSets, type SetChange, setOf } from "../../lib/dns/record-sets.ts";
import { UserError } from "../../lib/errors.ts";
import type { RecordsWriter } from "./writer.ts";

/** One record of a zone, in the words of a set. */
export interface ZoneRecord {
  key: string;
  value: string;
  /** How the API calls it, where it does. */
  id?: string;
}

/** What a provider's API can do with the zones of one account. */
export interface ZoneApi {
  /** What is asked, for messages. */
  readonly where: string;
  /** The account's zone that holds a name; undefined where it has none. */
  zoneOf(name: string): Promise<string | undefined>;
  /** The zone's records, but for types that no set has. */
  list(zone: string): Promise<ZoneRecord[]>;
  /**
   * Writes a zone's changes, so that of what must be single a reader never sees two.
   *
   * @param there what the zone has now
   */
  change(zone: string, changes: readonly SetChange[], there: readonly ZoneRecord[]): Promise<void>;
}

export class HttpWriter implements RecordsWriter {
  readonly where: string;
  readonly #api: ZoneApi;

  constructor(api: ZoneApi) {
    this.where = api.where;
    this.#api = api;
  }

  async read(keys: readonly string[]): Promise<RecordSets> {
    const sets: RecordSets = Object.fromEntries(keys.map((key) => [key, []]));
    for (const zone of (await this.#byZone(keys, (key) => key)).keys())
      for (const { key, value } of await this.#api.list(zone)) sets[key]?.push(value);
    return sets;
  }

  async write(changes: readonly SetChange[]): Promise<void> {
    for (const [zone, ofZone] of await this.#byZone(changes, ({ key }) => key)) {
      const there = await this.#api.list(zone);
      // What somebody has done since is not done again: an API may refuse a whole request for it.
      const has =
        ({ key }: SetChange) =>
        (value: string) =>
          there.some((record) => record.key === key && record.value === value);
      const left = ofZone.map((change) => ({
        ...change,
        remove: change.remove.filter(has(change)),
        add: change.add.filter((value) => !has(change)(value)),
      }));
      await this.#api.change(zone, left, there);
    }
  }

  /** All zones are known before anything is asked of one. */
  async #byZone<Item>(items: readonly Item[], keyOf: (item: Item) => string): Promise<Map<string, Item[]>> {
    const zones = new Map<string, Item[]>();
    for (const item of items) {
      const { name } = setOf(keyOf(item));
      const zone = await this.#api.zoneOf(name);
      if (zone === undefined)
        throw new UserError(`${this.where} has no zone for ${name}`, {
          path: "tailwart:dnsProvider",
          hint: "Have the zone there, under an account whose key this is, or take the domain out",
        });
      zones.set(zone, [...(zones.get(zone) ?? []), item]);
    }
    return zones;
  }
}
