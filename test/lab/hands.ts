// What a hand changes on the lab's Stalwart, on either generation of its settings: through the API,
// as the admin UI does.
import { bansOf } from "../../cli/parts/bans.ts";
import { labServer } from "../../cli/parts/stalwart-server.ts";
import type { Changes, Row } from "../../provider/registry/jmap.ts";
import { lab } from "./lab.ts";

const server = labServer(lab);
const { keys, rows } = server;
/** Whether the lab's server is of 0.16 or later. */
export const { isRegistry } = server;

/** Bans an address, as an operator does. */
export const { add: ban } = bansOf(server);

/** Changes a setting of the 0.15 line. */
async function setKey(key: string, value: string): Promise<void> {
  const insert = { type: "insert", prefix: null, values: [[key, value]] as [string, string][] } as const;
  await keys.writeSettings([{ ...insert, assert_empty: false }]);
}

async function setRow(object: string, changes: Changes): Promise<void> {
  await rows.set(object, changes, {});
}

/**
 * Sets a key of the 0.15 line and reloads, and gives back what was there: `undefined` takes it
 * away.
 */
export async function swapKey(key: string, value: string | undefined): Promise<string | undefined> {
  const before = (await keys.readSettings([key], []))[key];
  if (value === undefined) await keys.writeSettings([{ type: "delete", keys: [key] }]);
  else await setKey(key, value);
  await keys.reload();
  return before;
}

async function rowOf(object: string, is: (row: Row) => boolean): Promise<Row> {
  const row = (await rows.get([object]))[object]?.find(is);
  if (!row) throw new Error(`the lab's server has no such ${object}`);
  return row;
}
const named = (name: string) => (row: Row) => row["name"] === name;

/** Names that tests and users see: of what is edited, and of the resource that carries it. */
export const NAMES = isRegistry
  ? {
      resource: "tailwart:mail:Registry",
      relayHost: String.raw`MtaRoute/smarthost[^]*address`,
      relayPort: String.raw`MtaRoute/smarthost[^]*port`,
      number: (n: number) => String(n),
      stranger: "AllowedIp/192.0.2.9",
    }
  : {
      resource: "tailwart:mail:Settings",
      relayHost: String.raw`queue\.route\.smarthost\.address`,
      relayPort: String.raw`queue\.route\.smarthost\.port`,
      number: (n: number) => `"${n}"`,
      stranger: "server.allowed-ip.192.0.2.9",
    };

export async function editRelayHost(host: string): Promise<void> {
  if (!isRegistry) return setKey("queue.route.smarthost.address", host);
  const { id } = await rowOf("MtaRoute", named("smarthost"));
  await setRow("MtaRoute", { update: { [id]: { address: host } } });
}

const TIMEOUT = "queue.connection.default.timeout.connect";

export async function editConnectTimeout(seconds: number): Promise<void> {
  if (!isRegistry) return setKey(TIMEOUT, `${seconds}s`);
  const { id } = await rowOf("MtaConnectionStrategy", named("default"));
  await setRow("MtaConnectionStrategy", { update: { [id]: { connectTimeout: seconds * 1000 } } });
}

/** Seconds. */
export async function connectTimeout(): Promise<number> {
  if (!isRegistry) return Number.parseInt((await keys.readSettings([TIMEOUT], []))[TIMEOUT] ?? "", 10);
  return Number((await rowOf("MtaConnectionStrategy", named("default")))["connectTimeout"]) / 1000;
}

/** Allows an address that no config declares. */
export async function allowStranger(): Promise<void> {
  if (!isRegistry) return setKey(NAMES.stranger, "");
  await setRow("AllowedIp", { create: { stranger: { address: "192.0.2.9" } } });
}
