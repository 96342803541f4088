import type { StalwartServer } from "./stalwart-server.ts";

const GROUP = "server.blocked-ip";

/** The bans of a Stalwart, on either generation of its settings. */
export function bansOf({ isRegistry, keys, rows }: StalwartServer) {
  const blocked = async () => (await rows.get(["BlockedIp"]))["BlockedIp"] ?? [];
  const reload = async () => {
    if (isRegistry) await rows.set("Action", { create: { bans: { "@type": "ReloadBlockedIps" } } }, {});
    else await keys.request("GET", `/api/reload/${GROUP}`);
  };

  /** Addresses that the server has banned. */
  async function list(): Promise<string[]> {
    if (isRegistry) return (await blocked()).map((row) => String(row["address"]));
    const found = await keys.readSettings([], [GROUP]);
    return Object.keys(found).map((key) => key.slice(GROUP.length + 1));
  }

  /** Bans an address, as an operator does. */
  async function add(address: string): Promise<void> {
    const values: [string, string][] = [[`${GROUP}.${address}`, ""]];
    if (isRegistry) await rows.set("BlockedIp", { create: { ban: { address } } }, {});
    else await keys.writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
    await reload();
  }

  /** Takes a ban away, as an operator does. */
  async function lift(address: string): Promise<void> {
    if (isRegistry) {
      const ids = (await blocked()).filter((row) => row["address"] === address).map(({ id }) => id);
      if (ids.length > 0) await rows.set("BlockedIp", { destroy: ids }, {});
    } else await keys.writeSettings([{ type: "delete", keys: [`${GROUP}.${address}`] }]);
    await reload();
  }

  return { list, add, lift };
}
