import { DEFAULT_API } from "../../provider/server/state.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { RegistryApi } from "../../provider/registry/jmap.ts";
import { dockerTransport } from "../../provider/server/transport.ts";
import { generationOf } from "../../lib/stalwart/release.ts";
import type { Lab } from "./open-lab.ts";

const GROUP = "server.blocked-ip";

/** The bans of a lab's Stalwart, on either generation of its settings. */
export function bansOf({ layout, stack, facts }: Lab) {
  const transport = dockerTransport(layout.boxes.kvm.dockerHost, `tailwart-${stack.name}-stalwart`);
  const keys = new StalwartApi(transport, DEFAULT_API);
  const rows = new RegistryApi(transport, DEFAULT_API);
  const isRegistry = generationOf(facts.stalwartLine) === "registry";
  const blocked = async () => (await rows.get(["BlockedIp"]))["BlockedIp"] ?? [];

  /** Addresses that the server has banned. */
  async function list(): Promise<string[]> {
    if (isRegistry) return (await blocked()).map((row) => String(row["address"]));
    const found = await keys.readSettings([], [GROUP]);
    return Object.keys(found).map((key) => key.slice(GROUP.length + 1));
  }

  /** Takes a ban away, as an operator does. */
  async function lift(address: string): Promise<void> {
    if (isRegistry) {
      const ids = (await blocked()).filter((row) => row["address"] === address).map(({ id }) => id);
      if (ids.length > 0) await rows.set("BlockedIp", { destroy: ids }, {});
      await rows.set("Action", { create: { bans: { "@type": "ReloadBlockedIps" } } }, {});
      return;
    }
    await keys.writeSettings([{ type: "delete", keys: [`${GROUP}.${address}`] }]);
    await keys.request("GET", `/api/reload/${GROUP}`);
  }

  return { list, lift };
}
