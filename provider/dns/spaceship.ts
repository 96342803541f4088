/**
 * Spaceship's DNS API (https://docs.spaceship.dev): its PUT only adds, whatever the name has
 * already, and its DELETE takes what is to go by its value. What it does beyond its pages is known
 * from Namecheap's own client, whose tests run against it (github.com/namecheap/go-spaceship-sdk).
 */
import { isSingle, type SetChange, setOf, valueOf } from "../../lib/dns/record-sets.ts";
import { partsOf, TYPE_NUMBERS } from "../../lib/dns/record-data.ts";
import { nearest, upwards } from "../../lib/domain-names.ts";
import { canonicalName, type RecordData } from "../../lib/dns/record.ts";
import { UserError } from "../../lib/errors.ts";
import { HttpApi } from "./http-api.ts";
import { type ZoneApi, type ZoneRecord } from "./http-writer.ts";

/** Where records are written, and by which key; not its secret. */
export interface SpaceshipAt {
  apiKey: string;
  /** @default https://spaceship.dev/api/v1 */
  url?: string;
}

/** A record as the API has it; which of the fields it has depends on its type. */
interface Item {
  type: string;
  name: string;
  ttl?: number;
  address?: string;
  exchange?: string;
  preference?: number;
  value?: string;
  flag?: number;
  tag?: string;
  service?: string;
  protocol?: string;
  priority?: number;
  weight?: number;
  port?: number;
  target?: string;
  /** Whose it is, told by a GET alone: "custom" or none is the account's own. */
  group?: { type: string };
}

/** Records of one request at most, and of one page. */
const MOST = 500;
/** Seconds that a record may be remembered; from 60 to 3600. */
const TTL = 300;
/**
 * Spaceship has it there for a product or name server of its own, which the key is not to touch
 * (go-spaceship-sdk, client/dns.go).
 */
const OTHERS = " (set by Spaceship itself)";

export class Spaceship implements ZoneApi {
  readonly where = "Spaceship";
  readonly #api: HttpApi;
  readonly #zones = new Set<string>();

  constructor({ apiKey, url = "https://spaceship.dev/api/v1" }: SpaceshipAt, secret: string) {
    this.#api = new HttpApi({
      where: this.where,
      url,
      headers: (key) => ({ "x-api-key": apiKey, "x-api-secret": key }),
      secret,
      scopes: "do dnsrecords:read and dnsrecords:write, with its name in tailwart:dnsProvider.apiKey",
    });
  }

  /** A zone is a registered domain, so that none is below another. */
  async zoneOf(name: string): Promise<string | undefined> {
    const known = nearest(name, this.#zones);
    if (known !== undefined) return known;
    // From its end: the domain is there, and below it are names without number.
    for (const zone of upwards(name).slice(0, -1).toReversed()) {
      if (!(await this.#api.find("GET", pathOf(zone, 1, 0)))) continue;
      this.#zones.add(zone);
      return zone;
    }
    return undefined;
  }

  async list(zone: string): Promise<ZoneRecord[]> {
    const items: Item[] = [];
    for (;;) {
      const { body } = await this.#api.ask("GET", pathOf(zone, MOST, items.length));
      const page = body as { items: Item[]; total: number };
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) break;
    }
    return items.flatMap((item) => {
      const data = dataOf(item);
      if (!data) return [];
      const value = valueOf(data) + ((item.group?.type ?? "custom") === "custom" ? "" : OTHERS);
      return [{ key: `${nameOf(item, zone)} ${item.type}`, value }];
    });
  }

  async change(zone: string, wanted: readonly SetChange[]): Promise<void> {
    const changes = wanted.map(withoutOthers);
    // What the API refuses it refuses here, before anything is gone.
    const [swapped, others] = [changes.filter(isSwapped), changes.filter((each) => !isSwapped(each))];
    await this.#put(zone, others);
    await this.#remove(zone, swapped);
    await this.#put(zone, swapped);
    await this.#remove(zone, others);
  }

  async #put(zone: string, changes: readonly SetChange[]): Promise<void> {
    const items = changes.flatMap(({ key, add }) =>
      add.map((value) => ({ ...itemOf(zone, key, value), ttl: TTL })),
    );
    for (const part of chunks(items)) await this.#api.ask("PUT", pathOf(zone), { items: part });
  }

  async #remove(zone: string, changes: readonly SetChange[]): Promise<void> {
    const items = changes.flatMap(({ key, remove }) => remove.map((value) => itemOf(zone, key, value)));
    // A bare list, unlike PUT's.
    for (const part of chunks(items)) await this.#api.ask("DELETE", pathOf(zone), part);
  }
}

const isOthers = (value: string) => value.endsWith(OTHERS);

/**
 * The change, but for what is Spaceship's own.
 *
 * @throws UserError where that would stand beside ours
 */
function withoutOthers({ key, add, remove }: SetChange): SetChange {
  const stays = remove.filter(isOthers);
  if (stays.length > 0 && add.length > 0)
    throw new UserError(`${key} cannot give its place: ${stays.join(", ")}`, {
      path: "tailwart:dns.adopt",
      hint: "Turn off at Spaceship what has it there, such as a redirect of the domain, and run pulumi up again",
    });
  return { key, add, remove: remove.filter((value) => !isOthers(value)) };
}

/** Whether one value comes in the place of another that may not stand beside it. */
const isSwapped = ({ key, remove }: SetChange) => isSingle(key) && remove.length > 0;

const pathOf = (zone: string, take?: number, skip?: number) =>
  `/dns/records/${zone}${take === undefined ? "" : `?take=${take}&skip=${skip}`}`;

const chunks = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / MOST) }, (_, i) => items.slice(i * MOST, (i + 1) * MOST));

/** A record's name in full. SRV has its first two labels in fields of their own. */
function nameOf({ name, service, protocol, type }: Item, zone: string): string {
  const labels = [...(type === "SRV" ? [service, protocol] : []), ...(name === "@" ? [] : [name]), zone];
  return canonicalName(labels.join("."));
}

function itemOf(zone: string, key: string, value: string): Item {
  const { name, type } = setOf(key);
  const below = name === zone ? "@" : name.slice(0, -zone.length - 1);
  const data = partsOf(type, value);
  switch (data.type) {
    case "SRV": {
      const [service = "", protocol = "", ...rest] = below.split(".");
      return { ...data, service, protocol, name: rest.join(".") || "@" };
    }
    case "TXT":
      return { type, name: below, value: data.text };
    case "CAA":
      return { type, name: below, flag: data.flags, tag: data.tag, value: data.value };
    default:
      return { ...data, name: below };
  }
}

/** Undefined for a type that no set has. */
function dataOf(item: Item): RecordData | undefined {
  const type = item.type as keyof typeof TYPE_NUMBERS;
  switch (type) {
    case "A":
    case "AAAA":
      return { type, address: item.address ?? "" };
    case "MX":
      return { type, preference: item.preference ?? 0, exchange: canonicalName(item.exchange ?? "") };
    case "SRV":
      return {
        type,
        priority: item.priority ?? 0,
        weight: item.weight ?? 0,
        port: item.port ?? 0,
        target: canonicalName(item.target ?? ""),
      };
    case "TXT":
      return { type, text: item.value ?? "" };
    case "CAA":
      return { type, flags: item.flag ?? 0, tag: item.tag ?? "", value: item.value ?? "" };
    default:
      return undefined;
  }
}
