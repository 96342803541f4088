import { type ResourceRecord, Spaceship } from "../../lab/fakes/spaceship.ts";
import type { Place } from "../../provider/dns/places.ts";
import { DnsApiServer } from "./dns-api-server.ts";
import { FakeCloudflare } from "./fake-cloudflare.ts";
import { FakeDesec } from "./fake-desec.ts";

/** A record in full words: name, type and value, a text in no quotes. */
export type Line = readonly [name: string, type: string, value: string];

/** An account at a fake DNS provider, with keys that may do more and less. */
export interface DnsAccount {
  readonly server: DnsApiServer;
  place(url: string): Place;
  readonly secrets: { good: string; reads: string; dead: string };
  /** Records as somebody sets them by hand. */
  set(...lines: Line[]): void;
  unset(name: string, type: string): void;
  /** All records of the account, sorted: what its authoritative servers would show. */
  lines(): string[];
  /** Looks whenever these show something else, where that is more often than an answer. */
  watch?(look: () => void): void;
}

/** The texts at a name. */
export const textsAt = (account: DnsAccount, name: string): string[] =>
  account.lines().flatMap((line) => (line.startsWith(`${name} TXT `) ? [line.slice(name.length + 5)] : []));

/** The account's zone that holds a name; "" for none. */
const zoneAmong = (zones: readonly string[], name: string): string =>
  zones.find((zone) => `.${name}`.endsWith(`.${zone}`)) ?? "";

const SECRETS = { good: "secret-that-may-all", reads: "secret-that-may-read", dead: "secret-of-nobody" };

export function spaceshipAccount(zones: readonly string[]): DnsAccount {
  const scopes = ["dnsrecords:read", "dnsrecords:write"] as const;
  const fake = new Spaceship(
    [
      { key: "key", secret: SECRETS.good, scopes },
      { key: "key", secret: SECRETS.reads, scopes: ["dnsrecords:read"] },
    ],
    zones,
  );
  const headers = { "x-api-key": "key", "x-api-secret": SECRETS.good };
  const ask = (method: string, zone: string, body: unknown) => {
    const url = `/api/v1/dns/records/${zone}`;
    const { status } = fake.answer({ method, url, headers, body: JSON.stringify(body) });
    if (status !== 204) throw new Error(`the fake answers ${status} to ${JSON.stringify(body)}`);
  };
  const zoneOf = (name: string) => zoneAmong(zones, name);
  const below = (name: string) => name.slice(0, -zoneOf(name).length - 1) || "@";
  return {
    server: new DnsApiServer((question) => fake.answer(question)),
    place: (url) => ({ type: "spaceship", apiKey: "key", url: `${url}/api/v1` }),
    secrets: SECRETS,
    set(...lines) {
      for (const [name, type, value] of lines) {
        const [preference, exchange] = value.split(" ");
        const data: Record<string, object> = {
          A: { address: value },
          TXT: { value },
          CNAME: { cname: value.replace(/\.$/, "") },
          MX: { preference: Number(preference), exchange: exchange?.replace(/\.$/, "") },
        };
        ask("PUT", zoneOf(name), { items: [{ type, name: below(name), ...data[type] }] });
      }
    },
    unset(name, type) {
      const zone = zoneOf(name);
      const found = fake.records(zone).filter((each) => each.type === type && each.name === below(name));
      ask("DELETE", zone, found);
    },
    lines: () => zones.flatMap((zone) => fake.records(zone).map((each) => lineOf(zone, each))).toSorted(),
  };
}

function lineOf(zone: string, record: ResourceRecord): string {
  const { type, name, service, protocol } = record;
  const text = (field: string) => String(record[field]);
  const labels = [service, protocol, name === "@" ? undefined : name, zone].filter(
    (label) => label !== undefined,
  );
  const data: Record<string, () => string> = {
    A: () => text("address"),
    AAAA: () => text("address"),
    TXT: () => text("value"),
    MX: () => `${text("preference")} ${text("exchange")}.`,
    CAA: () => `${text("flag")} ${text("tag")} "${text("value")}"`,
    SRV: () => `${text("priority")} ${text("weight")} ${text("port")} ${text("target")}.`,
    CNAME: () => `${text("cname")}.`,
  };
  return `${labels.join(".")} ${type} ${data[type]?.()}`;
}

export function cloudflareAccount(zones: readonly string[]): DnsAccount {
  const fake = new FakeCloudflare(
    [
      { token: SECRETS.good, permissions: ["Zone Read", "DNS Read", "DNS Write"] },
      { token: SECRETS.reads, permissions: ["Zone Read", "DNS Read"] },
    ],
    zones,
  );
  const headers = { authorization: `Bearer ${SECRETS.good}` };
  const ask = (method: string, path: string, body: unknown) => {
    const url = `/client/v4/zones${path}`;
    const { status, json } = fake.answer({ method, url, headers, body: JSON.stringify(body) });
    if (status !== 200) throw new Error(`the fake answers ${status} to ${JSON.stringify(body)}`);
    return (json as { result: { id: string; name: string }[] }).result;
  };
  const zoneOf = (name: string) => {
    const zone = zoneAmong(zones, name);
    const { id } = ask("GET", "?per_page=50", "").find((each) => each.name === zone) ?? {};
    return `/${id}/dns_records`;
  };
  return {
    server: new DnsApiServer((question) => fake.answer(question)),
    place: (url) => ({ type: "cloudflare", url: `${url}/client/v4` }),
    secrets: SECRETS,
    watch: (look) => (fake.onShown = look),
    set(...lines) {
      for (const [name, type, value] of lines) {
        const [priority, content] = type === "MX" ? value.split(" ") : [undefined, value];
        const more = priority === undefined ? {} : { priority: Number(priority) };
        ask("POST", zoneOf(name), { type, name, content, ...more });
      }
    },
    unset(name, type) {
      const found = zones
        .flatMap((zone) => fake.shown(zone))
        .filter((each) => each.name === name && each.type === type);
      ask("POST", `${zoneOf(name)}/batch`, { deletes: found.map(({ id }) => ({ id })) });
    },
    lines: () =>
      zones
        .flatMap((zone) => fake.shown(zone))
        .map(({ name, type, content, priority, data }) => {
          const dots = (host: unknown) => (host === "." ? "." : `${String(host)}.`);
          const value: Record<string, () => string> = {
            TXT: () => content.slice(1, -1).replaceAll('" "', ""),
            MX: () => `${priority} ${content}.`,
            CNAME: () => `${content}.`,
            SRV: () =>
              `${data?.["priority"]} ${data?.["weight"]} ${data?.["port"]} ${dots(data?.["target"])}`,
            CAA: () => `${data?.["flags"]} ${data?.["tag"]} "${data?.["value"]}"`,
          };
          return `${name} ${type} ${value[type]?.() ?? content}`;
        })
        .toSorted(),
  };
}

export function desecAccount(zones: readonly string[]): DnsAccount {
  const tokens = [
    { token: SECRETS.good, writes: true },
    { token: SECRETS.reads, writes: false },
  ];
  // Long enough from one request to the next for none to be too early.
  let now = 0;
  const fake = new FakeDesec(tokens, zones, () => (now += 300));
  const headers = { authorization: `Token ${SECRETS.good}` };
  const zoneOf = (name: string) => zoneAmong(zones, name);
  const patch = (zone: string, sets: object[]) => {
    const url = `/api/v1/domains/${zone}/rrsets/`;
    const { status } = fake.answer({ method: "PATCH", url, headers, body: JSON.stringify(sets) });
    if (status !== 200) throw new Error(`the fake answers ${status} to ${JSON.stringify(sets)}`);
  };
  const setOf = (name: string, type: string) => {
    const zone = zoneOf(name);
    const subname = name.slice(0, -zone.length - 1);
    const old = fake.rrsets(zone).find((set) => set.subname === subname && set.type === type);
    return { subname, type, ttl: 3600, records: old?.records ?? [] };
  };
  return {
    server: new DnsApiServer((question) => fake.answer(question)),
    place: (url) => ({ type: "desec", url: `${url}/api/v1` }),
    secrets: SECRETS,
    set(...lines) {
      for (const zone of zones) {
        const sets = lines
          .filter(([name]) => zoneOf(name) === zone)
          .map(([name, type, value]) => {
            const set = setOf(name, type);
            return { ...set, records: [...set.records, type === "TXT" ? `"${value}"` : value] };
          });
        patch(zone, sets);
      }
    },
    unset: (name, type) => patch(zoneOf(name), [{ ...setOf(name, type), records: [] }]),
    lines: () =>
      zones
        .flatMap((zone) =>
          fake.rrsets(zone).flatMap(({ subname, type, records }) =>
            records.map((record) => {
              const value = type === "TXT" ? record.slice(1, -1).replaceAll('" "', "") : record;
              return `${subname === "" ? zone : `${subname}.${zone}`} ${type} ${value}`;
            }),
          ),
        )
        .toSorted(),
  };
}
