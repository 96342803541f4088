import { MAIL_IPV6 } from "../../lab/dns.ts";
import { dial, describeDialled } from "./dial.ts";
import { setIpv6 } from "./ipv6.ts";
import type { Lesson } from "./lesson.ts";
import { describeFate, NO_IPV6, saysNoIpv6, sendOut } from "./mail.ts";

/** A domain whose mail server has an IPv6 address alone. */
const DOMAIN = "six.test";
/** Who has IPv6 for this lesson. */
const NETWORK = { kvm: "2001:db8::10", mail: MAIL_IPV6 } as const;
const PORT = 25;

export const lesson09: Lesson = {
  number: 9,
  title: "IPv6 of the host is not the container's",
  preventedBy: "nothing counts on IPv6 in the namespace, and reach is probed inside it (`verify/reach.ts`)",
  refusedBy: ["no-container-ipv6-assumed"],
  touches: ["where mail goes"],

  prepare: (bench) => setIpv6(bench, NETWORK, true),

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
    await setIpv6(bench, NETWORK, false);
  },
};
