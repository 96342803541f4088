import { MAIL_IPV6 } from "../../lab/dns.ts";
import { runInNetns } from "../../lab/run.ts";
import type { Bench } from "./bench.ts";
import { dial, describeDialled } from "./dial.ts";
import type { Lesson } from "./lesson.ts";
import { describeFate, NO_IPV6, saysNoIpv6, sendOut } from "./mail.ts";

/** A domain whose mail server has an IPv6 address alone. */
const DOMAIN = "six.test";
/** Addresses of the lab's internet for this lesson (RFC 3849). */
const NETWORK = { net: "2001:db8::1", kvm: "2001:db8::10", mail: MAIL_IPV6 } as const;
const PORT = 25;

export const lesson09: Lesson = {
  number: 9,
  title: "IPv6 of the host is not the container's",
  preventedBy: "nothing counts on IPv6 in the namespace, and reach is probed inside it (`verify/reach.ts`)",
  refusedBy: ["no-container-ipv6-assumed"],
  touches: ["where mail goes"],

  prepare: (bench) => hostIpv6(bench, true),

  async play(half) {
    const { bench } = half;
    await half.does("the host has IPv6", `kvm: bash /dev/tcp/${NETWORK.mail}/${PORT}`, async () => {
      const all = await dial(bench, "kvm", NETWORK.mail, PORT);
      if (all[0]?.outcome !== "open") throw new Error(`the host has none: ${describeDialled(all)}`);
    });
    const inside = await dial(bench, "namespace", NETWORK.mail, PORT);
    await half.sees(
      {
        from: `Stalwart's log and queue, for a message to ${DOMAIN}; namespace: /dev/tcp/${NETWORK.mail}/${PORT}`,
        outage: "it counts on IPv6: no IPv6 there (os error 99 or 101), as from the namespace",
        held: "by the relay it is there, though the namespace still has no IPv6",
      },
      async () => {
        const fate = await sendOut(bench, DOMAIN);
        const words = `${describeFate(fate)}; in the namespace ${describeDialled(inside)}`;
        if (!NO_IPV6.has(inside[0]?.errno)) return { words, is: "neither" };
        if (fate.arrived) return { words, is: "held" };
        const none = fate.attempts.some(({ address, error }) => address.includes(":") && saysNoIpv6(error));
        return { words, is: none ? "outage" : "neither" };
      },
    );
  },

  async restore(bench) {
    await hostIpv6(bench, false);
  },
};

/** Gives the KVM host IPv6 on the lab's internet, or takes it away: as its provider would. */
async function hostIpv6({ lab: { layout } }: Bench, on: boolean): Promise<void> {
  const { net, kvm, mail } = layout.machines;
  const inside = (netns: string, script: string) => runInNetns(netns, ["sh", "-ec", script]);
  if (on) await inside(kvm.netns, "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
  // Without `nodad` an address is of no use for its first seconds.
  const address = (what: string, device: string) =>
    on
      ? `ip -6 address replace ${what}/64 dev ${device} nodad`
      : `ip -6 address flush dev ${device} to ${what}`;
  await inside(net.netns, address(NETWORK.net, "br0"));
  await inside(mail.netns, address(NETWORK.mail, "eth0"));
  await inside(kvm.netns, address(NETWORK.kvm, "eth0"));
  if (!on) await inside(kvm.netns, "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
}
