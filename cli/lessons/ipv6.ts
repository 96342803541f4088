import { runInNetns } from "../../lab/run.ts";
import type { MachineName } from "../../lab/topology.ts";
import type { Bench } from "./bench.ts";

/** The internet's own address; all of them are documentation's (RFC 3849). */
const NET = "2001:db8::1";

/**
 * Gives machines IPv6 on the lab's internet, or takes it away: as their providers would.
 *
 * @param addresses machine → its address
 */
export async function setIpv6(
  { lab: { layout } }: Bench,
  addresses: Readonly<Partial<Record<MachineName, string>>>,
  on: boolean,
): Promise<void> {
  const inside = (machine: MachineName, script: string) =>
    runInNetns(layout.machines[machine].netns, ["sh", "-ec", script]);
  // The KVM has none by itself (lesson 9).
  const allow = (value: 0 | 1) => inside("kvm", `echo ${value} > /proc/sys/net/ipv6/conf/eth0/disable_ipv6`);
  if (on && addresses.kvm !== undefined) await allow(0);
  for (const [machine, address] of [...Object.entries(addresses), ["net", NET] as const]) {
    const device = machine === "net" ? "br0" : "eth0";
    // Without `nodad` an address is of no use for its first seconds.
    const script = on
      ? `ip -6 address replace ${address}/64 dev ${device} nodad`
      : `ip -6 address flush dev ${device} to ${address}`;
    await inside(machine as MachineName, script);
  }
  if (!on && addresses.kvm !== undefined) await allow(1);
}
